"""Opening an untrusted Parquet file never runs code."""

import pickle
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from efficientmixnet.modules.exceptions import UnsafeSchema
from efficientmixnet.modules.files.parquet_file import open_parquet

REPOSITORY = Path(__file__).parents[3]


class _Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


class _Pickled(pyarrow.ExtensionType):
    """A pickled type, which pyarrow 14.0.0 and older unpickle when they open a file (CVE-2023-47248)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        super().__init__(pyarrow.string(), "arrow.py_extension_type")

    def __arrow_ext_serialize__(self) -> bytes:
        return pickle.dumps(_Touch(self.file))

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        raise AssertionError("nothing may unpickle the type")


def _write(folder: Path, nested: bool = False) -> tuple[Path, Path]:
    """Returns the Parquet file, and the file that its code would create."""
    marker, file = folder / "it_ran", folder / "a.parquet"
    column = pyarrow.ExtensionArray.from_storage(_Pickled(marker), pyarrow.array(["x"]))
    if nested:
        column = pyarrow.StructArray.from_arrays([column], names=["inner"])
    pyarrow.parquet.write_table(pyarrow.table({"label": ["a"], "extra": column}), file)
    return file, marker


@pytest.mark.parametrize("nested", [False, True])
def test_a_pickled_type_is_refused_and_not_run(tmp_path: Path, nested: bool) -> None:
    file, marker = _write(tmp_path, nested)
    with pytest.raises(UnsafeSchema, match=r"^its schema holds a pickled Python type.*CVE-2023-47248\).*plain Arrow"):
        open_parquet(file)
    assert not marker.exists()


def test_a_type_with_invalid_pickle_data_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Pickled, "__arrow_ext_serialize__", lambda self: b"no pickle")
    file, _ = _write(tmp_path)
    with pytest.raises(UnsafeSchema):
        open_parquet(file)


def test_an_open_file_is_refused_too(tmp_path: Path) -> None:
    file, marker = _write(tmp_path)
    with file.open("rb") as opened, pytest.raises(UnsafeSchema):
        open_parquet(opened)
    assert not marker.exists()


def test_lists_structs_and_maps_are_read(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "list": pyarrow.array([[1, 2]]),
            "struct": pyarrow.array([{"bytes": b"x", "path": None}]),
            "map": pyarrow.array([[("a", 1)]], pyarrow.map_(pyarrow.string(), pyarrow.int8())),
            "dictionary": pyarrow.array(["a"]).dictionary_encode(),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert open_parquet(tmp_path / "a.parquet").read().to_pydict() == table.to_pydict()


def test_no_other_file_opens_parquet_files() -> None:
    ways = ("ParquetFile(", "read_table(", "read_schema(", "read_metadata(", "ParquetDataset(", "read_parquet(")
    files = [
        file
        for folder in ("modules", "components", "pipeline", "kubeflow")
        for file in (REPOSITORY / folder).rglob("*.py")
    ]
    opening = [
        file.name
        for file in files
        if any(f"{module}.{way}" in file.read_text() for module in ("pq", "parquet", "pandas", "pd") for way in ways)
    ]
    assert opening == ["parquet_file.py"]
