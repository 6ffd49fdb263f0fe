"""SchemaGen takes labels and shapes from the training split only."""

from pathlib import Path

import pandas
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx import v1 as tfx

from efficientmixnet.components.schema_gen import SchemaGen, image_schema
from efficientmixnet.modules import features


def _statistics(*labels: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    table = pandas.DataFrame(
        {
            features.LABEL: labels,
            features.HEIGHT: 8,
            features.WIDTH: 8,
            features.FORMAT: "PNG",
            features.COLORSPACE: "L",
        }
    )
    return tfdv.generate_statistics_from_dataframe(table, tfdv.StatsOptions(num_rank_histogram_buckets=100_000), 1)


def _by_name(schema: schema_pb2.Schema) -> dict[str, schema_pb2.Feature]:
    return {feature.name: feature for feature in schema.feature}


@pytest.fixture(scope="module")
def completed() -> dict[str, schema_pb2.Feature]:
    statistics = _statistics("dog", "cat", "große Bären", "dog")
    return _by_name(image_schema(tfdv.infer_schema(statistics), statistics))


def test_every_feature_of_a_record_has_its_type(completed: dict[str, schema_pb2.Feature]) -> None:
    types = {name: schema_pb2.FeatureType.Name(feature.type) for name, feature in completed.items()}
    assert types == {
        "image/encoded": "BYTES",
        "image/class/text": "BYTES",
        "image/filename": "BYTES",
        "image/format": "BYTES",
        "image/colorspace": "BYTES",
        "image/size": "BYTES",
        "image/height": "INT",
        "image/width": "INT",
        "image/depth": "INT",
        "image/channel/mean": "FLOAT",
        "image/channel/mean_square": "FLOAT",
    }


def test_every_feature_except_the_channels_is_a_single_value(completed: dict[str, schema_pb2.Feature]) -> None:
    shapes = {name: [dim.size for dim in feature.shape.dim] for name, feature in completed.items()}
    of_three = {"image/channel/mean", "image/channel/mean_square"}
    assert shapes == {name: [3] if name in of_three else [] for name in shapes}
    assert all(feature.HasField("shape") and feature.presence.min_fraction == 1 for feature in completed.values())


def test_the_labels_of_the_training_split_are_the_only_domain(completed: dict[str, schema_pb2.Feature]) -> None:
    domains = {
        name: list(feature.string_domain.value)
        for name, feature in completed.items()
        if feature.WhichOneof("domain_info")
    }
    assert domains == {"image/class/text": ["cat", "dog", "große Bären"]}


def test_a_further_column_is_text_that_may_take_new_values() -> None:
    table = pandas.DataFrame({features.LABEL: ["cat", "dog"], "site": ["north", "south"]})
    statistics = tfdv.generate_statistics_from_dataframe(table, n_jobs=1)
    site = _by_name(image_schema(tfdv.infer_schema(statistics), statistics))["site"]
    assert (site.type, list(site.shape.dim), site.WhichOneof("domain_info")) == (schema_pb2.BYTES, [], None)


def test_a_thousand_labels_are_all_kept() -> None:
    labels = [f"class {number:04d}" for number in range(1000)]
    statistics = _statistics(*labels)
    schema = _by_name(image_schema(tfdv.infer_schema(statistics), statistics))
    assert list(schema[features.LABEL].string_domain.value) == labels


def test_a_new_label_in_evaluation_is_an_anomaly_and_a_new_format_is_not() -> None:
    training = _statistics("cat", "dog")
    schema = image_schema(tfdv.infer_schema(training), training)
    described = [feature for feature in schema.feature if feature.name in features.DESCRIBED_FEATURES]
    del schema.feature[:]
    schema.feature.extend(described)
    evaluation = _statistics("cat", "cow")
    for feature in evaluation.datasets[0].features:
        if list(feature.path.step) == [features.FORMAT]:
            bucket = feature.string_stats.rank_histogram.buckets[0]
            bucket.label = feature.string_stats.top_values[0].value = "TIFF"
    assert list(tfdv.validate_statistics(evaluation, schema).anomaly_info) == [features.LABEL]


def test_the_component_ignores_the_evaluation_split(tmp_path: Path) -> None:
    for split, labels in {"train": ("cat", "dog"), "eval": ("cat", "cow")}.items():
        file = tmp_path / "statistics" / f"Split-{split}" / "FeatureStats.pb"
        file.parent.mkdir(parents=True)
        file.write_bytes(_statistics(*labels).SerializeToString())
    statistics = tfx.types.standard_artifacts.ExampleStatistics()
    statistics.uri, statistics.split_names = str(tmp_path / "statistics"), '["train", "eval"]'
    schema = tfx.types.standard_artifacts.Schema()
    schema.uri = str(tmp_path / "schema")
    component = SchemaGen(tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleStatistics), ["eval"])
    executor = component.EXECUTOR_SPEC.executor_class()
    executor.Do({"statistics": [statistics]}, {"schema": [schema]}, component.exec_properties)
    written = _by_name(tfdv.load_schema_text(str(tmp_path / "schema" / "schema.pbtxt")))
    assert list(written[features.LABEL].string_domain.value) == ["cat", "dog"]
