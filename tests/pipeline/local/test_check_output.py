"""The output folder may be below the images, but must not hide any."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.local.check_output import check_output


def test_a_new_folder_and_the_output_of_runs_are_accepted(tmp_path: Path) -> None:
    check_output(tmp_path / "runs", str(tmp_path))
    (tmp_path / "runs").mkdir()
    check_output(tmp_path / "runs", str(tmp_path))
    (tmp_path / "runs" / ".efficientmixnet").touch()
    (tmp_path / "runs" / "summary.json").touch()
    check_output(tmp_path / "runs", str(tmp_path))
    check_output(tmp_path, str(tmp_path / "runs"))
    check_output(tmp_path, "s3://bucket/images")


def test_the_folder_of_the_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"output: .* is the folder of the images \(data\.images\); give another"):
        check_output(tmp_path / "x" / "..", str(tmp_path))


def test_a_class_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "1.png").touch()
    with pytest.raises(BadInput, match=r"output: .*cat is below data\.images and holds other files; give a new"):
        check_output(tmp_path / "cat", str(tmp_path))
