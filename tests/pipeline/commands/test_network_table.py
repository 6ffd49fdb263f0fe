"""The table of a network's stages."""

import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.pipeline.commands.network_table import print_network


def test_the_totals_are_those_of_the_paper(capsys: pytest.CaptureFixture[str]) -> None:
    print_network(NetworkConfig(), None, 1000)
    shown = capsys.readouterr().out
    assert "5,330,564" in shown  # parameters of EfficientNet-B0, of which
    assert "5,288,548 parameters are trainable. The input is 224 x 224 x 3" in shown


def test_norm_and_size_of_the_configuration_count(capsys: pytest.CaptureFixture[str]) -> None:
    # Attentive Normalization at B2, 299 x 299, mixed, two classes: 8,407,205 with five channels, and
    # 3 * 3 * 2 * 32 = 576 weights fewer in the stem with three.
    print_network(NetworkConfig(variant="B2", mixed=True, norm="an"), 299, 2)
    assert f"{8_407_205 - 576:,}" in capsys.readouterr().out
