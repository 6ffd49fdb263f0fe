"""AveragedEvaluation: a callback that ends each epoch with the weights that the training would export after it."""

import warnings
from typing import Any

import keras

from efficientmixnet.modules.optimizers.lookahead import Lookahead


class AveragedEvaluation(keras.callbacks.Callback):
    """Ends each epoch with the weights that Keras leaves in the model after `fit`, and continues with the last ones.

    These are the moving average of the weights or, with Lookahead, the slow weights. So evaluation, early stopping, the
    curves, the sample predictions and a search use the weights that are exported. Keras's SwapEMAWeights does
    the same for an optimizer that has the average itself, but not for one around it, such as Lookahead or Grouped.

    The model has these weights from the beginning of the evaluation until this callback's `on_epoch_end`. Callbacks
    before it in the list see them at the end of an epoch. Those after it, such as a checkpoint, see the weights of the
    last step. With an optimizer that leaves its last weights in the model, it does nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[tuple[keras.Variable, Any]] = []

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        weights, optimizer = self.model.trainable_variables, self.model.optimizer
        if not _changes_weights_at_the_end(optimizer):
            return
        # Lookahead's counter starts again at the end of a training.
        counters = [variable for variable in optimizer.variables if len(variable.shape) == 0]
        self._kept = [(variable, keras.ops.convert_to_numpy(variable)) for variable in [*weights, *counters]]
        with warnings.catch_warnings():  # of Lookahead, about a training that ends too early
            warnings.simplefilter("ignore", UserWarning)
            optimizer.finalize_variable_values(weights)
        for weight in weights:
            weight.assign(keras.ops.copy(weight))  # JAX donates buffers, so no two variables may share one

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for variable, value in self._kept:
            variable.assign(value)
        self._kept = []


def _changes_weights_at_the_end(optimizer: Any) -> bool:
    """Whether `fit` ends with other weights than those of the last step."""
    inside = [*getattr(optimizer, "optimizers", ()), getattr(optimizer, "inner_optimizer", None)]
    return (
        isinstance(optimizer, Lookahead)
        or bool(getattr(optimizer, "use_ema", False))
        or any(_changes_weights_at_the_end(one) for one in inside if one is not None)
    )
