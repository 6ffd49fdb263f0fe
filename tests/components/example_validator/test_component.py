"""ExampleValidator stops the run with every anomaly."""

from pathlib import Path
from typing import Any

import pandas
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import v1 as tfx

from efficientmixnet.components.example_validator.component import ExampleValidator, describe
from efficientmixnet.components.schema_gen import image_schema
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput


def _statistics(labels: tuple[str, ...], height: int = 8) -> statistics_pb2.DatasetFeatureStatisticsList:
    table = pandas.DataFrame(
        {
            features.LABEL: labels,
            features.HEIGHT: height,
            features.WIDTH: 8,
            features.FORMAT: "PNG",
            features.COLORSPACE: "L",
        }
    )
    return tfdv.generate_statistics_from_dataframe(table, n_jobs=1)


def _validate(
    folder: Path,
    schema: schema_pb2.Schema,
    splits: dict[str, statistics_pb2.DatasetFeatureStatisticsList],
    before: statistics_pb2.DatasetFeatureStatisticsList | None = None,
    **comparison: Any,
) -> None:
    for split, found in splits.items():
        file = folder / "statistics" / f"Split-{split}" / "FeatureStats.pb"
        file.parent.mkdir(parents=True)
        file.write_bytes(found.SerializeToString())
    (folder / "schema").mkdir()
    tfdv.write_schema_text(schema, str(folder / "schema" / "schema.pbtxt"))
    standard = tfx.types.standard_artifacts
    artifacts = {
        "statistics": standard.ExampleStatistics(),
        "schema": standard.Schema(),
        "anomalies": standard.ExampleAnomalies(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(folder / name)
    artifacts["statistics"].split_names = '["train", "eval"]'
    component = ExampleValidator(
        statistics=tfx.dsl.Channel(type=standard.ExampleStatistics),
        schema=tfx.dsl.Channel(type=standard.Schema),
        **comparison,
    )
    executor = component.EXECUTOR_SPEC.executor_class()
    inputs = {name: [artifacts[name]] for name in ("statistics", "schema")}
    if before:
        file = folder / "before" / "Split-train" / "FeatureStats.pb"
        file.parent.mkdir(parents=True)
        file.write_bytes(before.SerializeToString())
        inputs["previous"] = [standard.ExampleStatistics()]
        inputs["previous"][0].uri = str(folder / "before")
    executor.Do(inputs, {"anomalies": [artifacts["anomalies"]]}, component.exec_properties)


@pytest.fixture(scope="module")
def training() -> statistics_pb2.DatasetFeatureStatisticsList:
    return _statistics(("cat", "dog"))


@pytest.fixture(scope="module")
def schema(training: statistics_pb2.DatasetFeatureStatisticsList) -> schema_pb2.Schema:
    return image_schema(tfdv.infer_schema(training), training)


def test_data_that_fits_the_schema_passes(
    tmp_path: Path, schema: schema_pb2.Schema, training: statistics_pb2.DatasetFeatureStatisticsList
) -> None:
    assert features.ENCODED in {feature.name for feature in schema.feature}
    _validate(tmp_path, schema, {"train": training, "eval": _statistics(("dog",))})


def test_a_label_that_training_does_not_have_stops_the_run(
    tmp_path: Path, schema: schema_pb2.Schema, training: statistics_pb2.DatasetFeatureStatisticsList
) -> None:
    with pytest.raises(BadInput) as caught:
        _validate(tmp_path, schema, {"train": training, "eval": _statistics(("dog", "große Kuh"))})
    message = str(caught.value)
    assert message.startswith("the data does not fit the schema: image/class/text in the split 'eval': ")
    assert "große Kuh" in message
    assert message.endswith(
        "%). The training split does not have these classes. "
        "Add images of them to it, or raise its fraction in data.splits"
    )


def test_the_range_of_a_curated_schema_is_checked_in_every_split(
    tmp_path: Path, schema: schema_pb2.Schema, training: statistics_pb2.DatasetFeatureStatisticsList
) -> None:
    curated = schema_pb2.Schema()
    curated.CopyFrom(schema)
    height = next(feature for feature in curated.feature if feature.name == features.HEIGHT)
    height.int_domain.CopyFrom(schema_pb2.IntDomain(min=1, max=8))
    with pytest.raises(BadInput, match="image/height in the split 'eval': "):
        _validate(tmp_path, curated, {"train": training, "eval": _statistics(("dog",), height=9)})


def test_data_that_drifted_stops_the_run(
    tmp_path: Path, schema: schema_pb2.Schema, training: statistics_pb2.DatasetFeatureStatisticsList
) -> None:
    splits = {"train": training, "eval": training}
    before = _statistics(("cat", "cat", "cat", "dog"))
    drift = {features.LABEL: 0.2}
    with pytest.raises(BadInput, match=r"data has changed: image/class/text differs by 0\.250 from the previous data"):
        _validate(tmp_path / "moved", schema, splits, before, drift=drift)
    _validate(tmp_path / "first", schema, splits, drift=drift)


def test_every_anomaly_is_described() -> None:
    anomalies = anomalies_pb2.Anomalies()
    anomalies.anomaly_info["image/width"].description = "Wide."
    anomalies.anomaly_info["image/height"].description = "High."
    anomalies.dataset_anomaly_info.description = "Few."
    assert describe(anomalies, "eval") == [
        "image/height in the split 'eval': High",
        "image/width in the split 'eval': Wide",
        "the split 'eval': Few",
    ]


def test_without_anomalies_nothing_is_described() -> None:
    assert describe(anomalies_pb2.Anomalies(), "eval") == []
