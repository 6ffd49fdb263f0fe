"""ConfusionAccuracy: the share of right answers, with the counts of which class was taken for which."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class ConfusionAccuracy(keras.metrics.Metric):
    """Labels and probabilities, each (batch, classes) -> accuracy; the same as CategoricalAccuracy.

    `counts` is (classes, classes): the true class by row, the answer by column.
    """

    def __init__(self, classes: int, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.classes = classes
        self.counts = self.add_variable((classes, classes), "zeros", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        truth, answer = (ops.one_hot(ops.argmax(y, axis=-1), self.classes) for y in (y_true, y_pred))
        if sample_weight is not None:
            truth = truth * ops.reshape(ops.cast(sample_weight, truth.dtype), (-1, 1))
        self.counts.assign_add(ops.matmul(ops.transpose(truth), answer))

    def result(self) -> Any:
        return ops.divide_no_nan(ops.trace(ops.convert_to_tensor(self.counts)), ops.sum(self.counts))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}
