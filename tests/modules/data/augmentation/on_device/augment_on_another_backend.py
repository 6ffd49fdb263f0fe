"""Augments a batch with the Keras backend of this process, compiled: `augment_on_another_backend.py IN.npz OUT.npz`.

IN has the arrays of a batch, and MAGNITUDE, the magnitude of RandAugment.
"""

import sys

import keras
import numpy as np

from efficientmixnet.modules.data.augmentation.on_device.batch import augment_batch


def main(given: str, found: str) -> None:
    with np.load(given) as file:
        drawn = {name: file[name] for name in file.files}
    magnitude, labels = float(drawn.pop("MAGNITUDE")), drawn.pop("LABELS")
    assert keras.backend.backend() == "jax"
    import jax

    images, labels = jax.jit(lambda batch: augment_batch(batch, magnitude))((drawn, labels))
    np.savez(found, IMAGES=np.asarray(images), LABELS=np.asarray(labels))


if __name__ == "__main__":
    main(*sys.argv[1:])
