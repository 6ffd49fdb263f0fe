"""Tests of check_files: further files of the configuration are checked before a run."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.data_config import DataConfig
from efficientmixnet.pipeline.local.check_files import check_files

SCHEMA = 'feature { name: "image/width" type: INT }'


def test_a_schema_and_a_folder_of_served_images_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "schema.pbtxt").write_text(SCHEMA)
    check_files(DataConfig(schema_file=str(tmp_path / "schema.pbtxt"), served=str(tmp_path)))
    check_files(DataConfig(schema_file="gs://bucket/schema.pbtxt", served="s3://bucket/served"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a file with a schema; give a schema.pbtxt"),
        (b"path,label\n", "is not a schema .*no field named"),
        (b"\xff\xfe", "is not a schema .*utf-8"),
    ],
)
def test_a_file_that_is_no_schema_is_refused_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "schema.pbtxt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput, match=rf"^data\.schema_file: .*schema\.pbtxt {message}") as caught:
        check_files(DataConfig(schema_file=str(file)))
    assert "\n" not in str(caught.value)


def test_a_device_is_not_read_as_a_schema() -> None:
    with pytest.raises(BadInput, match="/dev/zero is not a file with a schema"):
        check_files(DataConfig(schema_file="/dev/zero"))


def test_a_missing_folder_of_served_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.served: .*none is not a folder"):
        check_files(DataConfig(served=str(tmp_path / "none")))
