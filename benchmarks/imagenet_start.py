"""How far a network that starts from ImageNet's weights is from the published network, before any training.

    python benchmarks/imagenet_start.py                       with keras.applications' random weights
    python benchmarks/imagenet_start.py --weights imagenet    with the published weights, which Keras downloads

`difference` is the mean absolute difference of the logits, divided by their standard deviation. `same class` is the
fraction of the images for which both networks find the same class most probable. The images are noise of three scales.
"""

import argparse
import warnings
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.network import EfficientNetBuilder, load_keras_applications_weights, preprocess_input
from efficientmixnet.modules.network.weights.start import InexactStart

NETWORKS: dict[str, dict[str, Any]] = {
    "an": {"norm": "an"},
    "iebn": {"norm": "iebn"},
    "mixed kernels": {"mixed": True},
    "no squeeze-excite": {"squeeze_excite": "never"},
    "mish": {"activation": "mish"},
    "mixed kernels, an, mish": {"mixed": True, "norm": "an", "activation": "mish"},
    "relu": {"activation": "relu"},
}


def published(variant: str, weights: str | None, side: int) -> keras.Model:
    """Returns keras.applications' network. Random weights get random normalizations, as after a training."""
    keras.utils.set_random_seed(0)
    build = getattr(keras.applications, f"EfficientNet{variant}")
    model = build(weights=weights, input_shape=(side, side, 3), classifier_activation=None)
    rng = np.random.default_rng(0)
    for layer in model.layers if weights is None else ():
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, variance = rng.uniform(0.9, 1.1, (2, *layer.gamma.shape))
            shift, mean = 0.1 * rng.normal(size=(2, *layer.gamma.shape))
            layer.set_weights([scale, shift, mean, variance])
    return model


def noise(count: int, side: int) -> np.ndarray:
    """Returns images float32 [count, side, side, 3] in [0, 255] with coarse, middle and fine noise."""
    rng = np.random.default_rng(1)
    images = np.zeros((count, side, side, 3))
    for cells in (side // 16, side // 4, side):
        images += np.kron(rng.random((count, cells, cells, 3)), np.ones((1, side // cells, side // cells, 1)))
    return (images * 85).astype("float32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", default=["B0"], choices=[f"B{i}" for i in range(8)])
    parser.add_argument("--weights", choices=["imagenet"])
    parser.add_argument("--side", type=int, default=96, help="of the images, a multiple of 32")
    parser.add_argument("--images", type=int, default=64)
    given = parser.parse_args()
    warnings.simplefilter("ignore", InexactStart)
    images = noise(given.images, given.side)
    print("| variant | changed | difference | same class |\n| --- | --- | --- | --- |")
    for variant in given.variants:
        source = published(variant, given.weights, given.side)
        expected = source.predict(images, verbose=0)
        for name, options in NETWORKS.items():
            builder = EfficientNetBuilder(images.shape[1:], classifier_activation=None, **options)
            model = load_keras_applications_weights(builder.default_model(variant), source)
            found = model.predict(preprocess_input(images) if given.weights else images / 255, verbose=0)
            difference = np.abs(found - expected).mean() / expected.std()
            same = np.mean(found.argmax(1) == expected.argmax(1))
            print(f"| {variant} | {name} | {difference:.2g} | {same:.0%} |", flush=True)


if __name__ == "__main__":
    main()
