"""DeviceTraining: trains on JAX with all images in the memory of the device, several runs in one program if wanted."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import jax
import keras
import numpy as np
from cifar_images import SIDE, Images
from images_on_device import augmented, draw_epoch

CLASSES = 10

Values = list[np.ndarray]
State = tuple[list, list, list]  # the weights, what is not trained, and the optimizer's variables


@dataclass(frozen=True)
class Run:
    """What differs between the runs of a program."""

    seed: int
    rates: np.ndarray  # the learning rate of each step, float32 [steps of the training]


class DeviceTraining:
    """Trains runs of one network that differ in their seeds and learning rates.

    The images cross to the device once, as uint8. After that, one call of the compiled program makes `steps` training
    steps, each of which makes its batch on the device. The batches are those of `Batches`, and the steps those
    of Keras. Seeds and learning rates are arguments of the program, so that all runs share one compilation.

    With `together` above 1, the program is mapped over as many runs. Their convolutions become one with groups, which
    fills a GPU that a small network leaves idle. A larger network fills it alone, and such convolutions are slower than
    one after another, so 1 is the default. gpu_seeds.py measures both.

    Args:
        network: Builds the network: uint8 images [B, 32, 32, 3] -> logits [B, 10].
        optimizer: Builds the optimizer. Its learning rate is a number, which `Run.rates` replaces.
        data: All images that train.
        batch: Images in a batch.
        steps: Training steps in a call of the program. It divides the steps of an epoch.
        together: Runs in one program.
    """

    def __init__(
        self,
        network: Callable[[], keras.Model],
        optimizer: Callable[[], keras.optimizers.Optimizer],
        data: Images,
        batch: int,
        steps: int,
        together: int = 1,
    ) -> None:
        self._network, self._batch, self._steps, self._together = network, batch, steps, together
        self.epoch_seconds: list[float] = []
        with on_host():
            self._model, self._optimizer = network(), optimizer()
            self._optimizer.build(self._model.trainable_variables)
        self._fresh = values(self._optimizer.variables)
        self._starts: dict[int, tuple[Values, Values]] = {}
        self._is_rate = [variable.name == "learning_rate" for variable in self._optimizer.variables]
        self._data = (jax.device_put(data.images), jax.device_put(data.classes.astype("int32")))
        self._program, self._predict = self._compiled()

    @property
    def parameters(self) -> int:
        return int(self._model.count_params())

    def _compiled(self) -> tuple[Callable, Callable]:
        """Compiles both programs at the same time."""
        state = self._joined([self._started(0)] * self._together)
        drawn = self._joined([np.zeros((self._steps, 6, self._batch), "int32")] * self._together)
        rates = self._joined([np.zeros(self._steps, "float32")] * self._together)
        program = self._train if self._together == 1 else jax.vmap(self._train, in_axes=(0, None, None, 0, 0))
        training = jax.jit(program, donate_argnums=0).lower(state, *self._data, drawn, rates)
        weights, fixed, _ = self._part(state, 0)
        some = np.zeros((self._batch, SIDE, SIDE, 3), "uint8")
        predicting = jax.jit(self._guess).lower(weights, fixed, some)
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(lambda lowered: lowered.compile(), (training, predicting))
        return one, other

    def _train(self, state: State, images: Any, classes: Any, drawn: Any, rates: Any) -> tuple[State, Any]:
        """Makes training steps: drawn int32 [steps, 6, B], rates float32 [steps] -> the state and the last loss."""

        def step(state: State, given: tuple) -> tuple[State, Any]:
            drawn, rate = given
            weights, fixed, kept = state
            labels = jax.nn.one_hot(classes[drawn[0]], CLASSES)
            of_weights = jax.value_and_grad(self._loss, has_aux=True)
            (loss, fixed), gradients = of_weights(weights, fixed, augmented(images, drawn), labels)
            kept = [rate if is_rate else value for is_rate, value in zip(self._is_rate, kept, strict=True)]
            weights, kept = self._optimizer.stateless_apply(kept, gradients, weights)
            return (weights, fixed, kept), loss

        state, losses = jax.lax.scan(step, state, (drawn, rates))
        return state, losses[-1]

    def _loss(self, weights: list, fixed: list, images: Any, labels: Any) -> tuple[Any, list]:
        logits, fixed = self._model.stateless_call(weights, fixed, images, training=True)
        losses = keras.losses.categorical_crossentropy(labels, logits, from_logits=True, label_smoothing=0.1)
        return keras.ops.mean(losses), fixed

    def _guess(self, weights: list, fixed: list, images: Any) -> Any:
        """Returns the classes of images and, from the sum of the logits, of images with their mirror images: [2, B]."""

        def logits(images: Any) -> Any:
            return self._model.stateless_call(weights, fixed, images, training=False)[0]

        plain = logits(images)
        return jax.numpy.stack([plain.argmax(1), (plain + logits(images[:, :, ::-1])).argmax(1)])

    def train(self, runs: Sequence[Run], count: int, epochs: int) -> list[tuple[Values, Values]]:
        """Trains with the first `count` images. Returns the weights of each run, and what it does not train.

        If the loss of all runs is no longer finite after an epoch, the training ends there. `epoch_seconds` has the
        time of each epoch.
        """
        # A program takes a fixed number of runs. The last one fills it up.
        filled = [*runs, *[runs[-1]] * (self._together - len(runs))]
        state = jax.device_put(self._joined([self._started(run.seed) for run in filled]))
        of_epoch = count // self._batch
        self.epoch_seconds = []
        for epoch in range(epochs):
            start = perf_counter()
            drawn = self._joined([draw_epoch(count, self._batch, run.seed, epoch) for run in filled])
            rates = self._joined([run.rates[epoch * of_epoch :] for run in filled])
            for first in range(0, of_epoch, self._steps):
                now = slice(first, first + self._steps)
                state, loss = self._program(state, *self._data, drawn[..., now, :, :], rates[..., now])
            diverged = not np.isfinite(loss).any()  # waits for the device
            self.epoch_seconds.append(perf_counter() - start)
            if diverged:
                break
        return [self._finished(self._part(state, number)) for number in range(len(runs))]

    def guesses(self, weights: Values, fixed: Values, images: np.ndarray) -> np.ndarray:
        """Returns the classes [2, N] of images [N, 32, 32, 3]: of the images, and together with their mirror images."""
        weights, fixed = jax.device_put((weights, fixed))
        whole = -(-len(images) // self._batch) * self._batch
        filled = np.resize(images, (whole, *images.shape[1:]))  # starts again with the first ones
        parts = [
            self._predict(weights, fixed, filled[first : first + self._batch]) for first in range(0, whole, self._batch)
        ]
        return np.concatenate(parts, axis=1)[:, : len(images)]

    def _started(self, seed: int) -> tuple[Values, Values, Values]:
        """Returns the state before the first step. The seed draws the weights and dropout."""
        if seed not in self._starts:
            keras.utils.set_random_seed(seed)
            with on_host():
                model = self._network()
            self._starts[seed] = (values(model.trainable_variables), values(model.non_trainable_variables))
        # Copies: on a CPU, JAX may use the memory of an array, and the program overwrites what it is given.
        return tuple([one.copy() for one in part] for part in (*self._starts[seed], self._fresh))

    def _finished(self, state: State) -> tuple[Values, Values]:
        """Returns weights as `fit` does: Lookahead ends with its slow weights."""
        model, optimizer = self._model, self._optimizer
        held = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        with on_host():
            for variables, found in zip(held, jax.device_get(state), strict=True):
                for variable, value in zip(variables, found, strict=True):
                    variable.assign(value)
            optimizer.finalize_variable_values(model.trainable_variables)
            return values(model.trainable_variables), values(model.non_trainable_variables)

    def _joined(self, of_runs: Sequence[Any]) -> Any:
        """Stacks what differs between runs. A program with one run has no axis for it."""
        return jax.tree.map(lambda *one: np.stack(one), *of_runs) if self._together > 1 else of_runs[0]

    def _part(self, joined: Any, number: int) -> Any:
        return jax.tree.map(lambda one: one[number], joined) if self._together > 1 else joined


def values(variables: Sequence[keras.Variable]) -> Values:
    return [np.array(variable.value) for variable in variables]


def on_host() -> AbstractContextManager:
    """Makes new arrays on the CPU: a GPU would compile a program for the shape of every weight."""
    try:
        return jax.default_device(jax.devices("cpu")[0])
    except RuntimeError:  # JAX_PLATFORMS names only the GPU
        return nullcontext()
