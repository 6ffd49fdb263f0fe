"""Tests of the section data."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import load_config


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("data.skew={image/width: 0.1}", "data.served: skew needs served images. Give their folder"),
        ("data.skew={camera: 0.1}", "data.skew: 'camera' is not one of"),
        ("data.drift={camera: 2}", "data.drift.camera: should be less than or equal to 1"),
        ("data.layout.format=zip", "data.layout.format: should be 'auto', 'folders', 'tfrecord', 'webdataset' or"),
        ("data.layout.split_files={test: x}", "data.layout.split_files: 'test' is not one of the splits train, eval"),
        ("data.split_names={holdout: x}", "data.split_names: 'x' is not one of the splits train, eval"),
        ("data.group=''", "data.group: string should have at least 1 character"),
        ("data.layout.span=-1", "data.layout.span: should be greater than or equal to 0"),
        ("data.layout.lable=x", "data.layout.lable: no such key; did you mean data.layout.label?"),
    ],
)
def test_bad_values_are_refused_with_their_key(key: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [key])
    assert complaint in str(caught.value)


def test_names_may_mean_a_test_split_that_only_the_data_has() -> None:
    data = load_config(None, ["data.split_names={holdout: test}", "data.group=patient_id"]).data
    assert (data.splitting.names, data.splitting.group) == ({"holdout": "test"}, "patient_id")


def test_relative_paths_start_at_the_configuration_files_folder(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "data: {images: 'days/{SPAN}', manifest: list.jsonl, corrections: relabel.csv, served: served, "
        "layout: {label_names: names.txt}}"
    )
    data = load_config(str(file)).data
    assert (data.images, data.manifest, data.corrections, data.served, data.layout.label_names) == (
        f"{tmp_path}/days/{{SPAN}}",
        f"{tmp_path}/list.jsonl",
        f"{tmp_path}/relabel.csv",
        f"{tmp_path}/served",
        f"{tmp_path}/names.txt",
    )


def test_addresses_of_object_stores_are_kept() -> None:
    assert load_config(None, data="gs://bucket/images").data.images == "gs://bucket/images"
    assert load_config(None, ["data.images=s3://bucket/images"]).data.images == "s3://bucket/images"


@pytest.mark.parametrize("channels", [1, 3, 12, "auto"])
def test_channels_are_a_number_or_auto(channels: int | str) -> None:
    assert load_config(None, [f"data.channels={channels}"]).data.channels == channels


@pytest.mark.parametrize("channels", ["0", "-1", "1001", "2.5", "true", "rgb", "[3]", "null"])
def test_other_channels_are_refused_in_one_line(channels: str) -> None:
    with pytest.raises(BadInput) as error:
        load_config(None, [f"data.channels={channels}"])
    (line,) = str(error.value).splitlines()[1:]
    assert line.strip().startswith("data.channels: ")


def test_bands_must_be_channels() -> None:
    assert load_config(None, ["data.channels=5", "data.bands=[4, 2, 0]"]).data.bands == (4, 2, 0)
    with pytest.raises(BadInput, match=r"data.bands: 5 is not one of the channels 0 to 4"):
        load_config(None, ["data.channels=5", "data.bands=[5, 2, 0]"])
