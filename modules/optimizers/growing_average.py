"""GrowingAverage: a moving average of the weights that forgets the first ones in short trainings too."""

from functools import cache
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.optimizers.conv_muon import ConvMuon
from efficientmixnet.modules.optimizers.muon import Muon
from efficientmixnet.modules.optimizers.rectified_adam import RectifiedAdam

_PREFIX = "Averaging"
_OURS = {"ConvMuon": ConvMuon, "Muon": Muon, "RectifiedAdam": RectifiedAdam}


class GrowingAverage:
    """The moving average of a Keras optimizer with `use_ema`, with a momentum that grows with the updates.

        average ← m average + (1 - m) θ,   m = min(ema_momentum, (1 + n) / (10 + n)) after n updates

    This is the momentum of tf.train.ExponentialMovingAverage with num_updates. The average covers about a tenth of the
    updates so far, so a training can end at any time. With a constant momentum of .9999, the first weights still are a
    third of the average after 10,000 updates. Gradients that are only accumulated are no update.
    """

    def _update_model_variables_moving_average(self: Any, trainable_variables: list) -> None:
        n = ops.cast(self.iterations, "float32")
        m = ops.minimum(self.ema_momentum, (1 + n) / (10 + n))
        if steps := self.gradient_accumulation_steps:
            m = ops.where(ops.equal((self._iterations + 1) % steps, 0), m, 1.0)
        m = ops.where(n > 0, m, 0.0)  # starts with the weights
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                momentum = ops.cast(m, average.dtype)
                average.assign(momentum * average + (1 - momentum) * variable)


@cache
def averaging(kind: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """Returns the class of an optimizer of Keras, ConvMuon, Muon or RectifiedAdam with GrowingAverage.

    Example:
        >>> averaging(keras.optimizers.Adam)(0.01, use_ema=True, ema_momentum=0.999).ema_momentum
        0.999
    """
    both = type(f"{_PREFIX}{kind.__name__}", (GrowingAverage, kind), {"__doc__": kind.__doc__})
    return keras.saving.register_keras_serializable(package="efficientmixnet")(both)


def __getattr__(name: str) -> type[keras.optimizers.Optimizer]:
    """Finds the classes by the names that saved_classes.py lists."""
    kind = name.removeprefix(_PREFIX)
    if kind == name:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return averaging(_OURS.get(kind) or getattr(keras.optimizers, kind))
