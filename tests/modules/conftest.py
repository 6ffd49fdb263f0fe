"""Fixtures for tests of run_fn: images, what Transform makes of them, and a call with a small network."""

from functools import partial
from types import SimpleNamespace

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from PIL import Image
from trained_images import BLOCKS, COLORS, LABELS, RAW_SPEC, SIDE

from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules.preprocessing import preprocessing_fn
from efficientmixnet.modules.trainer import run_fn


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    """Serialized tf.Examples of noisy images, larger and smaller than the network's input, JPEG and PNG."""
    data, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(42):
        label = LABELS[number % 3]
        height, width = random.integers(10, 40, size=2)
        noisy = np.array(COLORS[label]) + random.normal(0, 40, (height, width, 3))
        path = data / label / f"{number:02d}.{'jpg' if number % 2 else 'png'}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path)
    entries = find_images(str(data), None, frozenset()).entries
    return [read(entry, 10**6).SerializeToString() for entry in entries]


@pytest.fixture(scope="session")
def transformed(examples, tmp_path_factory):
    """Returns the folder of the Transform graph and the files of transformed examples."""
    folder = tmp_path_factory.mktemp("transformed")
    metadata = tft.DatasetMetadata.from_feature_spec(RAW_SPEC)
    rows = [tf.io.parse_single_example(one, RAW_SPEC) for one in examples]
    arrays = [{name: value.numpy() for name, value in row.items()} for row in rows]
    runner = "efficientmixnet.components.beam.in_process_runner.InProcessRunner"
    with beam.Pipeline(runner=runner) as pipeline, tft_beam.Context(temp_dir=str(folder / "temp")):
        raw = (pipeline | beam.Create(arrays), metadata)
        (data, data_metadata), transform_fn = raw | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, {"shorter_side": SIDE})
        )
        coder = tft.coders.ExampleProtoCoder(data_metadata.schema)
        _ = data | beam.Map(coder.encode) | beam.io.WriteToTFRecord(str(folder / "images"), file_name_suffix=".gz")
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
        _ = metadata | tft_beam.WriteMetadata(str(folder / "graph" / "metadata"), pipeline)
    return SimpleNamespace(graph=str(folder / "graph"), files=[str(folder / "images*")])


@pytest.fixture(scope="session")
def arguments_in(transformed):
    """Returns run_fn's arguments with outputs in a folder, for a small network unless `network` says otherwise."""

    def call(folder, name="run", network=(), base_model=None, **training):
        small = {"variant": "custom", "blocks": BLOCKS, "stem_filters": 8, "head_filters": 16, "image_size": SIDE}
        return SimpleNamespace(
            transform_graph_path=transformed.graph,
            train_files=transformed.files,
            eval_files=transformed.files,
            base_model=base_model,
            hyperparameters=None,
            serving_model_dir=str(folder / name / "model"),
            model_run_dir=str(folder / name / "logs"),
            custom_config={
                "model": {
                    "network": {**small, **dict(network)},
                    "training": {"epochs": 1, "batch_size": 16, **training},
                },
                "checkpoints": str(folder / name / "checkpoints"),
            },
        )

    return call


@pytest.fixture
def arguments(arguments_in, tmp_path):
    return partial(arguments_in, tmp_path)


@pytest.fixture
def train(arguments):
    """Calls run_fn; returns the exported model's folder."""

    def call(*names, **settings):
        given = arguments(*names, **settings)
        run_fn(given)
        return given.serving_model_dir

    return call


@pytest.fixture(scope="session")
def exported(arguments_in, tmp_path_factory):
    """Returns the folder of a model that predicts the colors well. Tests only read it."""
    given = arguments_in(tmp_path_factory.mktemp("exported"), epochs=3, learning_rate=0.01)
    run_fn(given)
    return given.serving_model_dir
