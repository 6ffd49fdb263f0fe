"""Transform: resizes the images, encodes them again, and converts labels to numbers."""

from dataclasses import replace
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.components.transform import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.components.counted_images import start_counting
from efficientmixnet.components.fixed_batches import fixed_batches
from efficientmixnet.components.record_file import WriteRecords
from efficientmixnet.components.traced_once import traced_once
from efficientmixnet.components.without_optimizer import without_optimizer
from efficientmixnet.modules.data.record_counts import RecordCounts, check_counts, read_counts, write_counts
from efficientmixnet.modules.data.shares import SHARDS, records_in_files


class _WriteExamples(beam.PTransform):
    """Writes transformed record batches. Beam's own writer would compress every image again."""

    def __init__(self, schema: schema_pb2.Schema, prefix: str) -> None:
        super().__init__()
        self._schema = schema
        self._prefix = prefix

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        return (
            batches
            | "Encode" >> beam.ParDo(executor.TransformProcessor._RecordBatchToExamplesFn(self._schema))
            | "Examples" >> beam.Values()
            | "Write" >> WriteRecords(self._prefix, SHARDS)
        )


class _Processor(executor.TransformProcessor):
    def _EncodeAndWrite(self, schema: schema_pb2.Schema, file_format: str, output_path: str) -> _WriteExamples:
        return _WriteExamples(schema, output_path)


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        for ingested in input_dict["examples"]:
            check_counts(ingested.uri, artifact_utils.decode_split_names(ingested.split_names))
        start_counting(ingested.uri for ingested in input_dict["examples"])
        executor.TransformProcessor = _Processor  # TFX looks its class up by this name, and has no other hook
        with fixed_batches(), traced_once(), without_optimizer():
            super().Do(input_dict, output_dict, exec_properties)
        for ingested, written in zip(input_dict["examples"], output_dict["transformed_examples"], strict=True):
            written.span, written.version = ingested.span, ingested.version
            _write_counts(ingested, written)


def _write_counts(ingested: types.Artifact, written: types.Artifact) -> None:
    """Writes the size of each transformed split and of its files. Transform keeps the number of records."""
    before = read_counts(ingested.uri)
    counts = {}
    for split in artifact_utils.decode_split_names(written.split_names):
        records = before[split].records if split in before else None
        folder = f"{written.uri}/Split-{split}"
        in_files = records_in_files(sorted(tf.io.gfile.glob(f"{folder}/*")))
        counts[split] = replace(RecordCounts.of_files(folder, records), in_files=in_files)
    write_counts(written.uri, counts)


class Transform(tfx.components.Transform):
    """TFX's Transform, which also copies the span and version to the transformed examples."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)


def transform(
    examples: tfx.types.BaseChannel, schema: tfx.types.BaseChannel, splits: list[str], shorter_side: int
) -> Transform:
    """Returns the Transform component, which analyzes the training split and transforms every split.

    TFX's statistics are off: StatisticsGen computes those of the input, and statistics of encoded images are of no use.
    The cache of the analyzers is off too, since only the Transform of another run could use it.

    Args:
        examples: The images as ingested.
        schema: The schema of the examples.
        splits: The names of all splits.
        shorter_side: The shorter side of the transformed images, pixels.
    """
    return Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="efficientmixnet.modules.preprocessing.preprocessing_fn",
        custom_config={"shorter_side": shorter_side},
        splits_config=tfx.proto.SplitsConfig(analyze=["train"], transform=splits),
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
