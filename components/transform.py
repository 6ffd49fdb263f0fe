"""Transform: images become small encoded images, labels become numbers."""

from typing import Any

import apache_beam as beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.components.transform import executor
from tfx.dsl.components.base import executor_spec

from efficientmixnet.components.record_file import WriteRecords


class _WriteExamples(beam.PTransform):
    """Transformed record batches become files; Beam's own writer would compress every image once more."""

    def __init__(self, schema: schema_pb2.Schema, prefix: str) -> None:
        super().__init__()
        self._schema = schema
        self._prefix = prefix

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        return (
            batches
            | "Encode" >> beam.ParDo(executor.TransformProcessor._RecordBatchToExamplesFn(self._schema))
            | "Examples" >> beam.Values()
            | "Write" >> WriteRecords(self._prefix)
        )


class _Processor(executor.TransformProcessor):
    def _EncodeAndWrite(self, schema: schema_pb2.Schema, file_format: str, output_path: str) -> _WriteExamples:
        return _WriteExamples(schema, output_path)


class _Executor(executor.Executor):
    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        executor.TransformProcessor = _Processor  # TFX makes it by this name, and leaves no other way in
        super().Do(input_dict, output_dict, exec_properties)
        for ingested, written in zip(input_dict["examples"], output_dict["transformed_examples"], strict=True):
            written.span, written.version = ingested.span, ingested.version


class Transform(tfx.components.Transform):
    """TFX's, whose transformed examples know of which span they are."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)


def transform(
    examples: tfx.types.BaseChannel, schema: tfx.types.BaseChannel, splits: list[str], shorter_side: int
) -> Transform:
    """Looks at the training split, and transforms every split.

    TFX's statistics of what comes in and goes out are off: StatisticsGen has those of what comes in, and those of
    encoded images say nothing. So is the cache of its analyzers, which only another run's Transform could use.
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
