"""StatisticsGen over the features that statistics can say something about."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import v1 as tfx

from efficientmixnet.modules import features

# TFDV keeps only the most frequent values of a feature unless told to keep more; SchemaGen needs every label.
_MOST_LABELS = 100_000


def statistics_gen(examples: tfx.types.BaseChannel) -> tfx.components.StatisticsGen:
    """Neither the pictures' bytes nor their names are read: all bytes differ, and that is all there is to say."""
    kinds = {
        name: schema_pb2.INT if name in features.INT_FEATURES else schema_pb2.BYTES
        for name in features.DESCRIBED_FEATURES
    }
    options = tfdv.StatsOptions(
        schema=schema_pb2.Schema(feature=[schema_pb2.Feature(name=name, type=kind) for name, kind in kinds.items()]),
        experimental_filter_read_paths=True,
        num_rank_histogram_buckets=_MOST_LABELS,
    )
    return tfx.components.StatisticsGen(examples=examples, stats_options=options)
