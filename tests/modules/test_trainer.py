"""run_fn on a few images: every choice trains, a stopped training resumes, serving sees the pixels of training."""

import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import apache_beam as beam
import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from PIL import Image, ImageOps

from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.modules import features, progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.data.batches import Reading, Records, evaluation_batches
from efficientmixnet.modules.preprocessing import preprocessing_fn
from efficientmixnet.modules.trainer import run_fn

LABELS = ["bleu", "jaune clair", "rouge"]
COLORS = {"bleu": (40, 60, 200), "jaune clair": (230, 220, 90), "rouge": (200, 40, 50)}
SIDE = 16  # pixels of the network's input
BLOCKS = ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3.5_s22_e2_i8_o12_se0.25"]
RAW_SPEC = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL: tf.io.FixedLenFeature([], tf.string),
    features.FILENAME: tf.io.FixedLenFeature([], tf.string),
    features.DEPTH: tf.io.FixedLenFeature([], tf.int64),
    features.CHANNEL_MEAN: tf.io.FixedLenFeature([3], tf.float32),
    features.CHANNEL_MEAN_SQUARE: tf.io.FixedLenFeature([3], tf.float32),
}


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


@pytest.fixture
def train(transformed, tmp_path):
    """Calls run_fn with a small network; returns the exported model's folder."""

    def call(name="run", network=(), base_model=None, **training):
        arguments = SimpleNamespace(
            transform_graph_path=transformed.graph,
            train_files=transformed.files,
            eval_files=transformed.files,
            base_model=base_model,
            hyperparameters=None,
            serving_model_dir=str(tmp_path / name / "model"),
            model_run_dir=str(tmp_path / name / "logs"),
            custom_config={
                "model": {
                    "network": {
                        "variant": "custom",
                        "blocks": BLOCKS,
                        "stem_filters": 8,
                        "head_filters": 16,
                        "image_size": SIDE,
                    }
                    | dict(network),
                    "training": {"epochs": 1, "batch_size": 16, **training},
                },
                "checkpoints": str(tmp_path / name / "checkpoints"),
            },
        )
        run_fn(arguments)
        return arguments.serving_model_dir

    return call


class StopAt:
    """A listener that stops the training in an epoch, as Ctrl-C does."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def start(self, total, unit):
        pass

    def advance(self, count, figures):
        if figures["epoch"] == self.epoch and count:
            raise KeyboardInterrupt

    def tell(self, line):
        pass


def weights(folder: str) -> list[np.ndarray]:
    """Returns the weights of the network in the exported model's folder."""
    return keras.saving.load_model(f"{folder}/assets.extra/network.keras").get_weights()


# A lost momentum shows in the weights. Adam's would, too, but it also amplifies rounding errors.
MOMENTUM = {"name": "sgd", "momentum": 0.9}


@pytest.mark.parametrize("optimizer", [MOMENTUM, {"name": "lookahead", "inner": MOMENTUM, "sync_period": 4}])
def test_a_stopped_training_ends_with_the_weights_of_one_never_stopped(train, optimizer):
    settings = {"epochs": 4, "optimizer": optimizer, "learning_rate": 0.05}
    whole = weights(train("whole", **settings))
    progress.listen(StopAt(3))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
    finally:
        progress.listen(None)
    resumed = weights(train("stopped", **settings))
    assert len(whole) == len(resumed) > 20
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(("norm", "activation"), [("bn", "mish"), ("an", "relu"), ("iebn", "swish")])
def test_every_norm_and_activation_trains(train, norm, activation):
    model = tf.saved_model.load(
        train(network={"norm": {"kind": norm, "n_mixture": 3}, "activation": activation}.items())
    )
    assert model.class_labels().numpy().tolist() == [label.encode() for label in LABELS]


@pytest.mark.parametrize(
    ("network", "training"),
    [
        ({"variant": "B0", "image_size": 32, "blocks": []}, {}),
        pytest.param(
            {"variant": "B0", "image_size": 32, "blocks": [], "mixed": True, "norm": "an"},
            {"optimizer": "lion"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"variant": "MixNetS", "image_size": 32, "blocks": []}, {"optimizer": "ranger"}, marks=pytest.mark.slow
        ),
        ({"mixed": True, "width": 0.5, "depth": 2.0, "dropout": 0.3, "drop_connect": 0.5}, {"optimizer": "radam"}),
        (
            {"crop_fraction": 0.75},
            {
                "augmentation": {"crop_scale": None, "mixup_alpha": 0.2, "cutmix_alpha": 1.0},
                "class_weights": "balanced",
            },
        ),
        ({}, {"augmentation": {"randaugment_layers": 2, "erasing_probability": 0.5, "flip": False}, "ema": 0.9}),
        ({}, {"epochs": 2, "schedule": {"name": "exponential", "warmup_epochs": 1}, "early_stopping_patience": 1}),
        ({}, {"recipe": "efficientnet", "epochs": 1, "schedule": {"warmup_epochs": 0}, "batch_size": 1000}),
        pytest.param({}, {"recipe": "adamw-cosine", "epochs": 6}, marks=pytest.mark.slow),
        pytest.param({}, {"precision": "mixed_float16", "optimizer": "ranger"}, marks=pytest.mark.slow),
        pytest.param({}, {"recipe": "ranger-flat-cosine", "epochs": 2}, marks=pytest.mark.slow),
    ],
)
def test_every_choice_trains(train, network, training):
    outputs = tf.saved_model.load(train(network=network.items(), **training)).signatures["serving_default"](
        tf.constant([png((1, 2, 3))])
    )
    assert float(tf.reduce_sum(outputs[features.PROBABILITIES])) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["B1", "B2", "B3", "B4", "B5", "B6", "B7"])
def test_every_variant_trains(train, variant):
    test_every_choice_trains(train, {"variant": variant, "image_size": 32, "blocks": []}, {})


def png(color: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 9), color).save(file, "PNG")
    return file.getvalue()


def test_serving_gives_the_probabilities_of_training(train, transformed, examples):
    """Every signature gives the same probabilities as the network on the evaluation batches of training."""
    folder = train(epochs=3, learning_rate=0.01)
    model = tf.saved_model.load(folder)
    reading = Reading(image_size=SIDE, crop_fraction=1.0, classes=3, batch_size=64)
    ((inputs, labels),) = evaluation_batches(Records.find(transformed.files), reading)
    trained = keras.models.load_model(f"{folder}/assets.extra/network.keras")
    expected = trained.predict_on_batch(inputs)  # [42, 3]
    np.testing.assert_allclose(model.classify_inputs(inputs), expected, atol=1e-6)

    by_example = model.signatures["serving_examples"](tf.constant(examples))
    order = [one.numpy() for one in model.signatures["transform_features"](tf.constant(examples))[features.LABEL_ID]]
    assert order == [
        LABELS.index(tf.io.parse_single_example(one, RAW_SPEC)[features.LABEL].numpy().decode()) for one in examples
    ]
    assert order == tf.argmax(labels, axis=1).numpy().tolist()
    assert features.ENCODED not in model.signatures["transform_features"].structured_outputs
    np.testing.assert_allclose(by_example[features.PROBABILITIES], expected, atol=1e-6)

    images = [tf.io.parse_single_example(one, RAW_SPEC)[features.ENCODED] for one in examples]
    by_image = model.signatures["serving_default"](tf.stack(images))
    np.testing.assert_allclose(by_image[features.PROBABILITIES], expected, atol=1e-6)
    named = [LABELS[number].encode() for number in expected.argmax(axis=1)]
    assert by_image[features.LABELS].numpy().tolist() == named
    assert by_image[features.CLASS_IDS].numpy().tolist() == expected.argmax(axis=1).tolist()


def test_the_exported_model_turns_images_upright_and_refuses_other_formats(train):
    classify = tf.saved_model.load(train(epochs=3, learning_rate=0.01)).signatures["serving_default"]
    pixels = np.random.default_rng(0).integers(0, 256, (30, 44, 3), dtype=np.uint8)
    turns = [lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud]
    turns += [lambda a, turn=turn: turn(a.swapaxes(0, 1)) for turn in (turns[0], turns[3], turns[2], turns[1])]
    files = []
    for number, turn in enumerate(turns, 1):
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x112] = number
        Image.fromarray(np.ascontiguousarray(turn(pixels))).save(file, "PNG", exif=exif)
        with Image.open(file) as stored:
            np.testing.assert_array_equal(ImageOps.exif_transpose(stored), pixels)
        files.append(file.getvalue())
    probabilities = classify(tf.constant(files))[features.PROBABILITIES].numpy()
    np.testing.assert_allclose(probabilities, probabilities[:1].repeat(8, axis=0), atol=1e-5)

    gif = io.BytesIO()
    Image.fromarray(pixels).save(gif, "GIF")
    with pytest.raises(tf.errors.InvalidArgumentError, match="The image is not a JPEG, PNG or 24-bit BMP file"):
        classify(tf.constant([gif.getvalue()]))


def test_the_activations_of_a_class_add_up_to_its_logit(train, examples):
    """Log-probabilities relative to another class differ between two images like the means of the activations."""
    model = tf.saved_model.load(train(epochs=3, learning_rate=0.01))
    images = tf.stack([tf.io.parse_single_example(one, RAW_SPEC)[features.ENCODED] for one in examples[:8]])
    logs = np.log(model.signatures["serving_default"](images)[features.PROBABILITIES])  # [8, 3]
    means = [
        tf.reduce_mean(model.class_activations(images, tf.fill([8], tf.constant(one, tf.int64)))["activations"], [1, 2])
        for one in range(3)
    ]
    logits = np.stack(means, axis=1)  # [8, 3], less the same bias in every row
    np.testing.assert_allclose(
        (logs - logs[:, :1])[1:] - (logs - logs[:, :1])[0],
        (logits - logits[:, :1])[1:] - (logits - logits[:, :1])[0],
        atol=1e-4,
    )


@pytest.mark.slow
def test_jax_trains_the_weights_of_tensorflow(train, capfd):
    """The same initial weights, images and augmentation; four steps of two epochs."""
    alike = {"epochs": 2, "optimizer": "radam", "learning_rate": 0.01}
    network = {"dropout": 0.0, "drop_connect": 0.0}.items()
    expected = weights(train("tensorflow", network, **alike))
    got = weights(train("jax", network, backend="jax", **alike))
    assert "with JAX on cpu" in capfd.readouterr().out
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.slow
def test_a_stopped_training_with_jax_ends_as_one_never_stopped(train, capfd):
    settings = {"backend": "jax", "epochs": 3, "optimizer": "radam", "checkpoint": {"every_minutes": 1e-9}}
    whole = weights(train("whole", **settings))
    progress.listen(StopAt(2))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
    finally:
        progress.listen(None)
    capfd.readouterr()
    resumed = weights(train("stopped", **settings))
    assert "resumes in epoch " in capfd.readouterr().out
    for one, other in zip(resumed, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


class Copies:
    """A store of checkpoints in a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fetch(self, folder: Path) -> None:
        if self.place.exists() and not any(folder.glob("epoch-*.npz")):
            shutil.copytree(self.place, folder, dirs_exist_ok=True)

    def keep(self, folder: Path) -> None:
        shutil.copytree(folder, self.place, dirs_exist_ok=True)


@pytest.mark.slow
def test_a_training_with_jax_resumes_from_copies_after_its_disk_is_lost(train, tmp_path, capfd):
    settings = {"backend": "jax", "epochs": 2}
    checkpoint_copies.use_store(Copies(tmp_path / "copies"))
    progress.listen(StopAt(2))
    try:
        with pytest.raises(KeyboardInterrupt):
            train("stopped", **settings)
        shutil.rmtree(tmp_path / "stopped")
        progress.listen(None)
        capfd.readouterr()
        train("stopped", **settings)
    finally:
        checkpoint_copies.use_store(None)
        progress.listen(None)
    assert "resumes in epoch 2" in capfd.readouterr().out


@pytest.mark.slow
def test_a_training_starts_from_an_exported_model_with_its_classifier_and_pixel_scaling(train, transformed):
    first = train("first", epochs=3, learning_rate=0.01)
    unchanged = {"epochs": 1, "learning_rate": 1e-9, "fine_tuning": {"head_epochs": 0}}
    second = train("second", network={"weights": first}.items(), **unchanged)
    reading = Reading(image_size=SIDE, crop_fraction=1.0, classes=3, batch_size=64)
    ((inputs, _),) = evaluation_batches(Records.find(transformed.files), reading)
    expected, got = (tf.saved_model.load(folder).classify_inputs(inputs) for folder in (first, second))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_a_training_that_augments_in_its_step_exports_a_plain_network(train):
    augmentation = {"randaugment_layers": 1, "erasing_probability": 0.5, "mixup_alpha": 0.2, "cutmix_alpha": 1.0}
    folder = train(augment_on="device", augmentation=augmentation, class_weights="balanced")
    assert type(keras.saving.load_model(f"{folder}/assets.extra/network.keras")).__name__ == "Functional"


def test_a_loss_that_is_not_finite_stops_with_the_key_to_change(train):
    with pytest.raises(ValueError, match=r"training\.learning_rate"):
        train(optimizer="sgd", learning_rate=1e30, epochs=2)
