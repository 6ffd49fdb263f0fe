"""A baseline model is compared only if it takes images of the same number of channels."""

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from efficientmixnet.components.evaluator.comparable import comparable
from efficientmixnet.modules.exported_model import CHANNELS, SERVING_FOLDER


def _model(folder: Path, channels: int) -> standard_artifacts.Model:
    file = folder / SERVING_FOLDER / CHANNELS
    file.parent.mkdir(parents=True)
    if channels != 3:  # as exported; earlier versions wrote no such file
        file.write_text(json.dumps({"channels": channels}))
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def test_a_baseline_of_other_channels_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs, bands, others = (_model(tmp_path / str(number), number) for number in (3, 5, 7))
    assert comparable(photographs, [photographs]) == [photographs]
    assert comparable(bands, [bands]) == [bands]
    assert capsys.readouterr().out == ""
    assert comparable(bands, [photographs]) == []
    assert "takes images of 3 channels, so it is not compared" in capsys.readouterr().out
    assert comparable(photographs, [others]) == []
    assert comparable(photographs, []) == []
