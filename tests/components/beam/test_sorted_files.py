"""Beam lists local files in the order of their names, on every file system."""

import os
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.io.filesystems import FileSystems

from efficientmixnet.components.beam import in_process_runner  # noqa: F401
from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS

_NAMES = [f"part-{number:02d}.gz" for number in range(12)]


@pytest.fixture(params=[1, -1], ids=["in order", "backwards"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of records on a file system that lists names in order or backwards."""
    for name in _NAMES:
        with RecordFile(f"{tmp_path}/{name}") as file:
            file.write(name.encode())
    walk = os.walk

    def walk_in_some_order(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
        for parent, folders, names in walk(top):
            yield parent, folders, sorted(names)[:: request.param]

    monkeypatch.setattr("os.walk", walk_in_some_order)
    return tmp_path


def test_files_match_in_order(folder: Path) -> None:
    (found,) = FileSystems.match([f"{folder}/*.gz"])
    assert [Path(file.path).name for file in found.metadata_list] == _NAMES


def test_records_are_read_in_order(folder: Path) -> None:
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        records = pipeline | beam.io.ReadFromTFRecord(f"{folder}/*.gz") | beam.Map(bytes.decode)
        _ = records | beam.io.WriteToText(f"{folder}/read", shard_name_template="")
    assert (folder / "read").read_text().split() == _NAMES
