"""Tests of the table of a network's stages."""

import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.pipeline.commands.network_table import print_network


def test_the_totals_are_those_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    print_network(NetworkConfig(), None, 1000)
    shown = capsys.readouterr().out
    assert "5,330,564" in shown  # the parameters of EfficientNet-B0
    assert "5,288,548 parameters are trainable. The input is 224 x 224 x 3" in shown


def test_the_table_uses_the_configured_norm_and_image_size(capsys: pytest.CaptureFixture[str]) -> None:
    # B2 with Attentive Normalization, mixed kernels, 299 x 299 pixels and two classes has 8,407,205 parameters for
    # five channels. For three channels, the stem has 3 * 3 * 2 * 32 = 576 parameters less.
    print_network(NetworkConfig(variant="B2", mixed=True, norm="an"), 299, 2)
    assert f"{8_407_205 - 576:,}" in capsys.readouterr().out
