"""AveragedEvaluation: a callback that evaluates the averaged weights, which are those that the training exports."""

from typing import Any

import keras


class AveragedEvaluation(keras.callbacks.Callback):
    """Evaluates each epoch with the moving average of the weights, and then continues with the weights themselves.

    So the epoch of early stopping, the curves and a search judge what is exported. Keras's SwapEMAWeights does the same
    for an optimizer that has the average itself, but not for one around it, such as Lookahead or Grouped.
    """

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        weights, optimizer = self.model.trainable_variables, self.model.optimizer
        # Lookahead's counter starts again at the end of a training.
        counters = [variable for variable in optimizer.variables if len(variable.shape) == 0]
        self._kept = [(variable, keras.ops.convert_to_numpy(variable)) for variable in [*weights, *counters]]
        optimizer.finalize_variable_values(weights)
        for weight in weights:
            weight.assign(keras.ops.copy(weight))  # JAX donates buffers, so no two variables may share one

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        for variable, value in self._kept:
            variable.assign(value)
        self._kept = []
