"""Our statistics equal those of TFX's StatisticsGen, without the images' bytes and names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen.executor import Executor
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from efficientmixnet.components.statistics_gen import StatisticsGen
from efficientmixnet.modules import features, progress
from efficientmixnet.modules.data.record_counts import RecordCounts, write_counts
from efficientmixnet.pipeline.pipeline import BEAM_ARGS

IMAGES = 40


class Counted:
    """A listener that adds up the progress."""

    def __init__(self) -> None:
        self.total, self.done, self.unit = 0, 0, ""

    def start(self, total: int, unit: str) -> None:
        self.total, self.unit = total, unit

    def advance(self, count: int, figures: progress.Figures) -> None:
        self.done += count


@pytest.fixture
def counted() -> Iterator[Counted]:
    found = Counted()
    progress.listen(found)
    yield found
    progress.listen(None)


def _example(number: int) -> tf.train.Example:
    values: dict[str, bytes | int] = {
        features.ENCODED: f"image {number}".encode(),
        features.FILENAME: f"{number}.png".encode(),
        features.LABEL: [b"cat", b"cat", b"dog"][number % 3],
        features.FORMAT: b"PNG",
        features.HEIGHT: 100 + number,
        features.WIDTH: 200,
        "camera": [b"a", b"b"][number % 2],
    }
    if number % 4 == 0:
        del values[features.FORMAT]
    example = tf.train.Example()
    for name, value in values.items():
        kind = "int64_list" if isinstance(value, int) else "bytes_list"
        getattr(example.features.feature[name], kind).value.append(value)
    return example


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> standard_artifacts.Examples:
    """ImageExampleGen's output for forty images with a further column."""
    artifact = standard_artifacts.Examples()
    artifact.uri = str(tmp_path_factory.mktemp("examples"))
    artifact.split_names = artifact_utils.encode_split_names(["train"])
    artifact.set_string_custom_property("columns", '["camera"]')
    folder = Path(artifact.uri, "Split-train")
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "examples.gz"), "GZIP") as writer:
        for number in range(IMAGES):
            writer.write(_example(number).SerializeToString())
    return artifact


def _described(
    executor: type[BaseBeamExecutor], examples: standard_artifacts.Examples, folder: Path
) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(folder)
    properties = {"exclude_splits": "[]", "stats_options_json": tfdv.StatsOptions().to_json()}
    context = BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS, tmp_dir=str(folder / "tmp"), unique_id="1")
    executor(context).Do({"examples": [examples]}, {"statistics": [statistics]}, properties)
    (dataset,) = tfdv.load_stats_binary(str(folder / "Split-train" / "FeatureStats.pb")).datasets
    assert dataset.num_examples == IMAGES
    return {one.path.step[0]: one for one in dataset.features}


def test_the_counts_equal_those_of_tfxs_component(examples: standard_artifacts.Examples, tmp_path: Path) -> None:
    stock = _described(Executor, examples, tmp_path / "stock")
    ours = _described(StatisticsGen.EXECUTOR_SPEC.executor_class, examples, tmp_path / "ours")
    assert set(stock) - set(ours) == {features.ENCODED, features.FILENAME}
    for name in set(stock) & set(ours):
        kind = stock[name].WhichOneof("stats")
        assert getattr(ours[name], kind) == getattr(stock[name], kind), name
    cats, dogs = ours[features.LABEL].string_stats.rank_histogram.buckets
    assert (cats.label, cats.sample_count, dogs.label, dogs.sample_count) == ("cat", 27, "dog", 13)
    assert ours[features.FORMAT].string_stats.common_stats.num_missing == 10
    height = ours[features.HEIGHT].num_stats
    assert (height.min, height.max, height.mean) == (100, 139, pytest.approx(119.5))


def test_all_images_are_counted(examples: standard_artifacts.Examples, tmp_path: Path, counted: Counted) -> None:
    write_counts(examples.uri, {"train": RecordCounts.of_files(f"{examples.uri}/Split-train", IMAGES)})
    _described(StatisticsGen.EXECUTOR_SPEC.executor_class, examples, tmp_path)
    assert (counted.total, counted.done, counted.unit) == (IMAGES, IMAGES, "images")
