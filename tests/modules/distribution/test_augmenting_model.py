"""The training step augments a batch before it uses it. Evaluation does not."""

from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.distribution.augmenting_model import AugmentingModel
from efficientmixnet.modules.distribution.distributed_model import DistributedModel

IMAGES, LABELS = np.random.default_rng(0).normal(size=(8, 3)).astype("float32"), np.eye(8, 2, dtype="float32")


def _doubled(batch: tuple[Any, ...]) -> tuple[Any, ...]:
    drawn, *targets = batch
    return 2 * drawn["pixels"], *targets


def _compiled(kind: type[keras.Model], accumulation_steps: int = 1) -> keras.Model:
    pixels = keras.Input([3])
    model = kind(pixels, keras.layers.Dense(2, "softmax", kernel_initializer="ones")(pixels))
    if kind is not keras.Model:
        model.augment = _doubled
    if kind is DistributedModel:
        model.accumulation_steps = accumulation_steps
    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", jit_compile=False)
    return model


@pytest.mark.parametrize(("kind", "batches"), [(AugmentingModel, 1), (DistributedModel, 1), (DistributedModel, 2)])
def test_the_step_trains_on_the_augmented_batch(kind: type[keras.Model], batches: int) -> None:
    plain, ours = _compiled(keras.Model), _compiled(kind, batches)
    ours.optimizer.build(ours.trainable_variables)
    for _ in range(3):
        plain.train_on_batch(2 * IMAGES, LABELS)
        ours.train_step(({"pixels": keras.ops.convert_to_tensor(IMAGES)}, keras.ops.convert_to_tensor(LABELS)))
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert ours.evaluate(IMAGES, LABELS, verbose=0) == pytest.approx(plain.evaluate(IMAGES, LABELS, verbose=0))
