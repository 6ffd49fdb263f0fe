"""Which files of the data folder are metadata that names images and labels."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
ROWS = "part0/1.png,cat\npart1/2.png,dog\npart0/3.png,dog\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Images in folders that are not their classes."""
    for name in ("part0/1.png", "part1/2.png", "part0/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.CSV", "Metadata.csv"])
@pytest.mark.parametrize("header", ["file_name,label", "file_name,Label", "File_Name, label ", "Path,LABEL"])
def test_case_does_not_matter(data: Path, name: str, header: str) -> None:
    (data / name).write_text(f"{header}\n{ROWS}")
    assert find_images(str(data), None, SPLITS).labels == {"cat": 1, "dog": 2}


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.JSONL"])
def test_the_first_rows_of_json_may_lack_a_label(data: Path, name: str) -> None:
    rows = [{"file_name": "part0/1.png"}, {"file_name": "part1/2.png", "label": "cat"}]
    rows.append({"file_name": "part0/3.png", "label": "dog"})
    (data / name).write_text("\n".join(map(json.dumps, rows)))
    sources = find_images(str(data), None, SPLITS)
    assert sources.labels == {"cat": 1, "dog": 1}
    assert [item.name for item in sources.left_out] == ["part0/1.png"]


def test_metadata_without_a_column_of_labels_is_refused(data: Path) -> None:
    (data / "metadata.csv").write_text(f"file_name,species\n{ROWS}")
    message = "metadata.csv names images, but has no column 'label'; its columns are file_name, species. Name the"
    with pytest.raises(BadInput, match=message):
        find_images(str(data), None, SPLITS)
    with pytest.raises(BadInput, match="no column 'kind'"):
        find_images(str(data), None, SPLITS, Layout(label="kind"))
    assert find_images(str(data), None, SPLITS, Layout(label="species")).labels == {"cat": 1, "dog": 2}
    assert find_images(str(data), None, SPLITS, Layout(format="folders")).labels == {"part0": 2, "part1": 1}


def test_a_table_without_a_column_of_images_is_no_metadata(data: Path) -> None:
    (data / "metadata.csv").write_text("id,species\n1,cat\n")
    assert find_images(str(data), None, SPLITS).labels == {"part0": 2, "part1": 1}


def test_metadata_in_parquet_is_refused(data: Path) -> None:
    pq.write_table(pa.table({"file_name": ["part0/1.png"], "label": ["cat"]}), data / "metadata.parquet")
    with pytest.raises(BadInput, match=r"metadata\.parquet names images, but .* Write it as metadata\.csv"):
        find_images(str(data), None, SPLITS)
    assert find_images(str(data), None, SPLITS, Layout(format="folders")).labels == {"part0": 2, "part1": 1}


def test_a_broken_parquet_file_is_no_metadata(data: Path) -> None:
    (data / "metadata.parquet").write_bytes(b"PAR1")
    assert find_images(str(data), None, SPLITS).labels == {"part0": 2, "part1": 1}


def test_metadata_without_labels_beside_other_formats_is_ignored(tmp_path: Path) -> None:
    table = pa.table({"image": [b"1", b"2"], "label": ["cat", "dog"]})
    pq.write_table(table, tmp_path / "images.parquet")
    (tmp_path / "metadata.csv").write_text("file_name,text\nimages.parquet,animals\n")
    assert find_images(str(tmp_path), None, SPLITS).format == "parquet"


def test_folders_without_classes_and_metadata_without_labels(tmp_path: Path) -> None:
    (tmp_path / "1.png").touch()
    (tmp_path / "metadata.csv").write_text("file_name,text\n1.png,a cat\n")
    with pytest.raises(BadInput, match=r"name the column of labels of metadata\.csv in data\.layout\.label"):
        find_images(str(tmp_path), None, SPLITS, Layout(format="folders"))


def test_patterns_of_splits_are_refused_since_metadata_names_the_images(data: Path) -> None:
    (data / "metadata.csv").write_text(f"file_name,label\n{ROWS}")
    patterns = {"train": "part0", "eval": "part1"}
    with pytest.raises(BadInput, match=r"split_files: has no effect on metadata\.csv, which names the images"):
        find_images(str(data), None, SPLITS, Layout(split_files=patterns))
