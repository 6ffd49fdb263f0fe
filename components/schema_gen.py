"""SchemaGen for images: adds our own features and the labels of the training split to TFX's schema."""

from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx import v1 as tfx
from tfx.components.schema_gen import executor
from tfx.dsl.components.base import executor_spec

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.modules import features


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        super().Do(input_dict, output_dict, exec_properties)
        (statistics,), (schema,) = input_dict["statistics"], output_dict["schema"]
        path = f"{schema.uri}/{executor.DEFAULT_FILE_NAME}"
        training = tfdv.load_stats_binary(f"{statistics.uri}/Split-train/FeatureStats.pb")
        channels = statistics.get_int_custom_property(features.CHANNELS) or 3
        tfdv.write_schema_text(image_schema(tfdv.load_schema_text(path), training, channels), path)


class SchemaGen(tfx.components.SchemaGen):
    """TFX's SchemaGen, completed for images.

    The schema comes from the training split only, so that a label that only evaluation has is an anomaly.

    Args:
        statistics: The statistics of all splits.
        exclude_splits: All splits but the training split.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(self, statistics: tfx.types.BaseChannel, exclude_splits: list[str]) -> None:
        super().__init__(statistics=statistics, infer_feature_shape=True, exclude_splits=exclude_splits)


def image_schema(
    inferred: schema_pb2.Schema, training: statistics_pb2.DatasetFeatureStatisticsList, channels: int = 3
) -> schema_pb2.Schema:
    """Completes a schema.

    Args:
        inferred: TFX's schema.
        training: The statistics of the training split.
        channels: The number of channels of the images.

    Returns:
        The schema with every feature of features.py and its shape, and with the labels as a domain.
    """
    schema = schema_pb2.Schema()
    schema.CopyFrom(inferred)
    kinds = {
        **dict.fromkeys(features.BYTES_FEATURES, schema_pb2.BYTES),
        **dict.fromkeys(features.INT_FEATURES, schema_pb2.INT),
        **dict.fromkeys(features.CHANNEL_FEATURES, schema_pb2.FLOAT),
    }
    known = {feature.name: feature for feature in schema.feature}
    for name, kind in kinds.items():
        feature = known.get(name) or schema.feature.add(name=name)
        feature.type = kind
        feature.presence.min_fraction = 1.0
        feature.shape.Clear()
        if name in features.CHANNEL_FEATURES:
            feature.shape.dim.add(size=channels)
        # TFDV makes a domain of a few values, but evaluation may have further formats and color spaces.
        feature.ClearField("domain_info")
        feature.ClearField("distribution_constraints")
    for name in known.keys() - kinds.keys():  # further columns of the source, which every record has
        known[name].shape.Clear()
        known[name].ClearField("domain_info")
        known[name].ClearField("distribution_constraints")
    del schema.string_domain[:]
    label = next(feature for feature in schema.feature if feature.name == features.LABEL)
    label.string_domain.value.extend(_labels(training))
    return schema


def _labels(training: statistics_pb2.DatasetFeatureStatisticsList) -> list[str]:
    (label,) = (one for one in training.datasets[0].features if list(one.path.step) == [features.LABEL])
    return sorted(bucket.label for bucket in label.string_stats.rank_histogram.buckets)
