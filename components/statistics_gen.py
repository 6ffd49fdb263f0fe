"""StatisticsGen for images: computes statistics of the labels, sizes, formats and further columns."""

import json
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import v1 as tfx
from tfx.components.statistics_gen import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.components.counted_images import counted_images, start_counting
from efficientmixnet.modules import features
from efficientmixnet.modules.data.record_counts import check_counts

# By default TFDV keeps only the most frequent values of a feature. SchemaGen needs every label.
_MOST_LABELS = 100_000


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        (examples,) = input_dict["examples"]
        check_counts(examples.uri, artifact_utils.decode_split_names(examples.split_names))
        columns = json.loads(examples.get_string_custom_property("columns") or "[]")
        options = image_statistics(tuple(columns)).to_json()
        start_counting([examples.uri])
        with counted_images(tfdv, "GenerateStatistics"):
            super().Do(input_dict, output_dict, {**exec_properties, "stats_options_json": options})
        (statistics,) = output_dict["statistics"]
        channels = examples.get_int_custom_property(features.CHANNELS)
        statistics.set_int_custom_property(features.CHANNELS, channels)  # for SchemaGen


class StatisticsGen(tfx.components.StatisticsGen):
    """TFX's StatisticsGen without the images' bytes and names, which are different for every image."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)


def statistics_gen(examples: tfx.types.BaseChannel) -> StatisticsGen:
    """Returns the StatisticsGen component.

    Args:
        examples: The images as ingested. Their property `columns` names the further columns.
    """
    return StatisticsGen(examples=examples)


def image_statistics(columns: tuple[str, ...] = ()) -> tfdv.StatsOptions:
    """Returns TFDV's options.

    Args:
        columns: The names of further columns, which hold text.
    """
    kinds = {
        **{
            name: schema_pb2.INT if name in features.INT_FEATURES else schema_pb2.BYTES
            for name in features.DESCRIBED_FEATURES
        },
        **dict.fromkeys(columns, schema_pb2.BYTES),
    }
    return tfdv.StatsOptions(
        schema=schema_pb2.Schema(feature=[schema_pb2.Feature(name=name, type=kind) for name, kind in kinds.items()]),
        experimental_filter_read_paths=True,
        num_rank_histogram_buckets=_MOST_LABELS,
    )
