"""ConfusionAccuracy: a metric that computes the accuracy and the confusion matrix."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class ConfusionAccuracy(keras.metrics.Metric):
    """The same accuracy as keras.metrics.CategoricalAccuracy, with a confusion matrix in `counts`.

    Labels and probabilities are (batch, classes). `counts` is (classes, classes): rows are labels, columns predictions.
    A negative label is that of padding, which is not counted.

    Args:
        classes: The number of classes.
        name: The name of the metric.

    Example:
        >>> metric = ConfusionAccuracy(2)
        >>> metric.update_state([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.8, 0.2]])
        >>> float(metric.result())
        0.5
    """

    def __init__(self, classes: int, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.classes = classes
        self.counts = self.add_variable((classes, classes), "zeros", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        labels, predictions = (ops.one_hot(ops.argmax(y, axis=-1), self.classes) for y in (y_true, y_pred))
        labels = labels * ops.cast(ops.max(y_true, axis=-1, keepdims=True) >= 0, labels.dtype)
        if sample_weight is not None:
            labels = labels * ops.reshape(ops.cast(sample_weight, labels.dtype), (-1, 1))
        self.counts.assign_add(ops.matmul(ops.transpose(labels), predictions))

    def result(self) -> Any:
        return ops.divide_no_nan(ops.trace(ops.convert_to_tensor(self.counts)), ops.sum(self.counts))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}
