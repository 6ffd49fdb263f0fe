"""merge_shards: merges the files of all shards into the outputs."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.files.parquet_file import open_parquet
from efficientmixnet.modules.files.stored_file import damage_named
from efficientmixnet.modules.files.whole_file import whole_file, whole_path

SUFFIXES = (".parquet", ".csv")
_CURE = "delete it and run the command again"


@dataclass(frozen=True)
class Scored:
    """What `score` has written."""

    images: int
    left_out: int
    outputs: tuple[Path, ...]
    left_out_file: Path | None


def left_out_file_of(output: Path) -> Path:
    """Returns the file that lists the images left out of an output."""
    return output.with_name(f"{output.stem}.left_out.csv")


def merge_shards(shards: Sequence[Path], outputs: Sequence[Path], left_out: Sequence[LeftOut]) -> Scored:
    """Writes the outputs and a CSV file of the images that were left out.

    Args:
        shards: The shards' files, in the order of their images.
        outputs: The files to write, in the format of their suffix.
        left_out: The files that were left out before scoring.
    """
    left_out_file = left_out_file_of(outputs[0])
    image_count, left_out_count = 0, len(left_out)
    with ExitStack() as stack:
        parts = [stack.enter_context(whole_path(output)) for output in outputs]
        with damage_named(shards[0], _CURE, pa.ArrowException), shards[0].open("rb") as first:
            schema = open_parquet(first).schema_arrow
        writers = [
            stack.enter_context(closing(_Writer(part, output.suffix == ".csv", schema)))
            for part, output in zip(parts, outputs, strict=True)
        ]
        file = stack.enter_context(whole_file(left_out_file, newline="", encoding="utf-8", errors="replace"))
        write_rows(file, [("file", "reason"), *(one.row() for one in left_out)])
        for shard in shards:
            with damage_named(shard, _CURE, pa.ArrowException), shard.open("rb") as opened:
                table = open_parquet(opened).read().cast(schema)
            is_bad = np.array(table["reason"].is_valid())
            for writer in writers:
                writer.write(table.filter(pa.array(~is_bad)).drop(["reason"]))
            bad = table.filter(pa.array(is_bad))
            write_rows(file, zip(bad["file"].to_pylist(), bad["reason"].to_pylist(), strict=True))
            image_count += int((~is_bad).sum())
            left_out_count += int(is_bad.sum())
    if not left_out_count:
        left_out_file.unlink()
    return Scored(image_count, left_out_count, tuple(outputs), left_out_file if left_out_count else None)


class _Writer:
    """Writes one output row by row."""

    def __init__(self, part: Path, as_csv: bool, schema: pa.Schema) -> None:
        self._as_csv = as_csv
        if self._as_csv:
            self._file = part.open("w", newline="", encoding="utf-8", errors="replace")
            write_rows(self._file, [("file", "label", "probability")])
        else:
            self._table = part.open("wb")  # pyarrow opens no file whose name is not UTF-8.
            self._writer = pq.ParquetWriter(self._table, schema.remove(schema.get_field_index("reason")))

    def write(self, table: pa.Table) -> None:
        if self._as_csv:
            columns = (table[name].to_pylist() for name in ("file", "label", "probability"))
            rows = ((file, label, f"{value:.6f}") for file, label, value in zip(*columns, strict=True))
            write_rows(self._file, rows)
        else:
            self._writer.write_table(table)

    def close(self) -> None:
        if self._as_csv:
            self._file.close()
        else:
            with self._table:
                self._writer.close()
