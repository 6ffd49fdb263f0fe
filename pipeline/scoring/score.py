"""Scores the images of a folder or a manifest with Beam: in shards, so that what was stopped goes on where it was.

Each shard's answers go to a file of their own beside the output; when all are there they become the output.
"""

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import join, read_bytes
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import SAVED_MODEL, newest_version
from efficientmixnet.modules.parquet_file import open_parquet
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.images_to_score import find_images

SHARD = 1024  # images, the most that is lost when a scoring is stopped
_BATCH = 32
_READERS = 8  # at a time, since an object store takes its time for each file
_MAX_PIXELS = 100_000_000
_JOB_FILE = "job.json"
_SUFFIXES = (".parquet", ".csv")
_RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


@dataclass(frozen=True)
class Scored:
    """What came of it."""

    images: int
    left_out: int
    outputs: tuple[Path, ...]
    left_out_file: Path | None


def score(
    model: str,
    images: str,
    outputs: Sequence[Path],
    beam_args: Sequence[str] = (_RUNNER,),
    manifest: str | None = None,
) -> Scored:
    """Writes what the model says of each image, in the order of their names.

    Args:
        model: A pushed model, or the folder of pushed models.
        images: A folder, here or in an object store; those below it count too.
        outputs: Parquet files (with the probability of every class) and CSV files, by their suffix.
        beam_args: The runner, and what it needs.
        manifest: A CSV or JSON-lines file: those alone whose names it has in `path`, relative to the folder.

    Raises:
        BadInput: something given cannot be used.
    """
    for output in outputs:
        if output.suffix not in _SUFFIXES:
            raise BadInput(f"--output {output}: ends with neither of {' and '.join(_SUFFIXES)}, which say the format")
    names, left_out = find_images(images, manifest)
    path = newest_version(Path(model))
    first = outputs[0]
    parts = first.with_name(f".{first.name}.parts")
    try:
        shards = _shards_left(parts, images, names, path)
        progress.start(len(names), "images")
        progress.advance(len(names) - sum(len(shard) for _, shard in shards))
        with beam.Pipeline(options=PipelineOptions(list(beam_args))) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards, reshuffle=False)
                | "Score" >> beam.ParDo(_ScoreShard(str(path), images, str(parts)))
            )
        return _merged(parts, outputs, left_out)
    except OSError as error:
        raise BadInput(f"--output {first}: cannot be written: {error.strerror}") from None


def _shards_left(parts: Path, folder: str, names: list[str], model: Path) -> list[tuple[int, list[str]]]:
    """The shards without a file yet; all of them, if what lies there is of another model or of other images."""
    digest = hashlib.sha256("\n".join([folder, *names]).encode()).hexdigest()
    version = (model / SAVED_MODEL).stat()
    job = {"names": digest, "model": [str(model), version.st_size, version.st_mtime_ns]}
    file = parts / _JOB_FILE
    if not file.is_file() or json.loads(file.read_text()) != job:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        file.write_text(json.dumps(job))
    shards = [(number, names[start : start + SHARD]) for number, start in enumerate(range(0, len(names), SHARD))]
    return [(number, shard) for number, shard in shards if not _part(parts, number).exists()]


def _part(parts: Path, number: int) -> Path:
    return parts / f"{number:06d}.parquet"


class _ScoreShard(beam.DoFn):
    """Writes a shard's file whole or not at all: what was read, and why the rest was not."""

    def __init__(self, model: str, images: str, parts: str) -> None:
        self._model, self._images, self._parts = model, images, parts

    def setup(self) -> None:
        self._classifier = Classifier(self._model)

    def process(self, shard: tuple[int, list[str]]) -> None:
        number, names = shard
        file = _part(Path(self._parts), number)
        batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
        rows: list[dict[str, Any]] = []
        with ThreadPoolExecutor(_READERS) as ahead:  # reads the next images while the network is at these
            reading = ahead.map(self._read, batches[0])
            for batch, following in zip(batches, [*batches[1:], []], strict=True):
                encoded = list(reading)
                reading = ahead.map(self._read, following)
                rows += self._answers(batch, encoded)
                progress.advance(len(batch))
        part = file.with_suffix(".part")
        schema = _schema(self._classifier.labels)
        pq.write_table(pa.Table.from_pylist(rows, schema), part)
        part.replace(file)

    def _read(self, name: str) -> bytes | str:
        """The file's bytes as the model takes them, or why they cannot be read."""
        from efficientmixnet.components.image_example_gen.image import canonical
        from efficientmixnet.modules.exceptions import BadImage

        try:
            encoded, _ = canonical(read_bytes(Entry(join(self._images, name), name, label="")), _MAX_PIXELS)
        except BadImage as error:
            return str(error)
        except OSError as error:
            return f"cannot be read: {error.strerror or error}"
        return encoded

    def _answers(self, names: list[str], encoded: list[bytes | str]) -> Iterator[dict[str, Any]]:
        readable = [one for one in encoded if isinstance(one, bytes)]
        answers = iter(self._probabilities(readable))
        for name, one in zip(names, encoded, strict=True):
            answer = next(answers) if isinstance(one, bytes) else one
            if isinstance(answer, str):
                yield {"file": name, "reason": answer}
            else:
                best = int(answer.argmax())
                label = self._classifier.labels[best]
                yield {"file": name, "label": label, "probability": answer[best], "probabilities": answer}

    def _probabilities(self, encoded: list[bytes]) -> list[np.ndarray | str]:
        if not encoded:
            return []
        try:
            return list(self._classifier.probabilities(encoded))
        except self._classifier.undecodable:
            if len(encoded) == 1:
                return ["is a truncated or corrupt file"]
            # One broken image fails its whole batch.
            return [answer for one in encoded for answer in self._probabilities([one])]


def _schema(labels: list[str]) -> pa.Schema:
    columns = {
        "file": pa.string(),
        "label": pa.string(),
        "probability": pa.float32(),
        "probabilities": pa.list_(pa.float32()),
        "reason": pa.string(),
    }
    return pa.schema(columns.items(), metadata={"labels": json.dumps(labels)})


def _merged(parts: Path, outputs: Sequence[Path], unnamed: Sequence[LeftOut]) -> Scored:
    """The shards' files as one in each format, and what was left out as a table beside the first."""
    files = sorted(parts.glob("*.parquet"))
    left_out_file = outputs[0].with_name(f"{outputs[0].stem}.left_out.csv")
    counted, left_out = 0, len(unnamed)
    writers = [_Writer(output, open_parquet(files[0]).schema_arrow) for output in outputs]
    try:
        with left_out_file.open("w", newline="", encoding="utf-8", errors="replace") as bad:
            bad_rows = csv.writer(bad)
            bad_rows.writerow(("file", "reason"))
            bad_rows.writerows(one.row() for one in unnamed)
            for file in files:
                table = open_parquet(file).read()
                is_bad = np.array(table["reason"].is_valid())
                for writer in writers:
                    writer.write(table.filter(pa.array(~is_bad)).drop(["reason"]))
                refused = table.filter(pa.array(is_bad))
                bad_rows.writerows(zip(refused["file"].to_pylist(), refused["reason"].to_pylist(), strict=True))
                counted += int((~is_bad).sum())
                left_out += int(is_bad.sum())
    finally:
        for writer in writers:
            writer.close()
    shutil.rmtree(parts)
    if not left_out:
        left_out_file.unlink()
    return Scored(counted, left_out, tuple(outputs), left_out_file if left_out else None)


class _Writer:
    """One output: rows as they come, and the file there whole or not at all."""

    def __init__(self, output: Path, schema: pa.Schema) -> None:
        self._output, self._part = output, output.with_name(f".{output.name}.part")
        self._as_csv = output.suffix == ".csv"
        if self._as_csv:
            self._file = self._part.open("w", newline="", encoding="utf-8", errors="replace")
            self._rows = csv.writer(self._file)
            self._rows.writerow(("file", "label", "probability"))
        else:
            self._writer = pq.ParquetWriter(self._part, schema.remove(schema.get_field_index("reason")))

    def write(self, table: pa.Table) -> None:
        if self._as_csv:
            columns = (table[name].to_pylist() for name in ("file", "label", "probability"))
            self._rows.writerows((file, label, f"{value:.6f}") for file, label, value in zip(*columns, strict=True))
        else:
            self._writer.write_table(table)

    def close(self) -> None:
        (self._file if self._as_csv else self._writer).close()
        self._part.replace(self._output)
