"""run_fn on a few images: the exported model sees the pixels of training."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps
from trained_images import LABELS, RAW_SPEC, SIDE

from efficientmixnet.modules import features
from efficientmixnet.modules.data.batches import Reading, evaluation_batches
from efficientmixnet.modules.data.records import Records


def test_serving_gives_the_probabilities_of_training(exported, transformed, examples):
    """Every signature gives the same probabilities as the network on the evaluation batches of training."""
    model = tf.saved_model.load(exported)
    reading = Reading(image_size=SIDE, crop_fraction=1.0, classes=3, batch_size=64)
    ((inputs, labels),) = evaluation_batches(Records.find(transformed.files), reading)
    trained = keras.models.load_model(f"{exported}/assets.extra/network.keras")
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


def test_the_exported_model_turns_images_upright_and_refuses_other_formats(exported):
    classify = tf.saved_model.load(exported).signatures["serving_default"]
    # Larger images are resized before they are turned, which rounds some pixels in another way.
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE + 8, 3), dtype=np.uint8)
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
    np.testing.assert_allclose(probabilities, probabilities[:1].repeat(8, axis=0), atol=1e-6)

    gif = io.BytesIO()
    Image.fromarray(pixels).save(gif, "GIF")
    with pytest.raises(tf.errors.InvalidArgumentError, match="The image is not a JPEG, PNG or 24-bit BMP file"):
        classify(tf.constant([gif.getvalue()]))


def test_the_activations_of_a_class_add_up_to_its_logit(exported, examples):
    """Log-probabilities relative to another class differ between two images like the means of the activations."""
    model = tf.saved_model.load(exported)
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


def test_a_training_that_augments_in_its_step_exports_a_plain_network(train):
    augmentation = {"randaugment_layers": 1, "erasing_probability": 0.5, "mixup_alpha": 0.2, "cutmix_alpha": 1.0}
    folder = train(augment_on="device", augmentation=augmentation, class_weights="balanced")
    assert type(keras.saving.load_model(f"{folder}/assets.extra/network.keras")).__name__ == "Functional"


@pytest.mark.slow
def test_a_training_with_mixed_precision_exports_a_float32_network(train):
    folder = train(precision="mixed_float16", optimizer={"name": "ranger", "sync_period": 2})
    network = keras.saving.load_model(f"{folder}/assets.extra/network.keras")
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
