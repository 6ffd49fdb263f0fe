"""ModulatedBatchNormalization: batch normalization with a scale and shift for each sample, the base of AN and IEBN.

out[n] = scale[n] (x[n] - mean) / sqrt(var + epsilon) + shift[n]        scale, shift: (batch, channels)
"""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from efficientmixnet.modules.layers.kernels.affine_of_samples import affine, moments
from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu
from efficientmixnet.modules.layers.kernels.instance_mean import instance_mean
from efficientmixnet.modules.layers.norm import INITS

# The arguments of batch normalization that `init`, or the subclass, has decided.
_DECIDED = ("center", "scale", "gamma_initializer", "beta_initializer")
# Values per sample. Below this, the small operations cost more than the saved passes over memory.
_LARGE = 2**15


class ModulatedBatchNormalization(BatchNormalization):
    """The base class of normalizations whose scale and shift depend on the sample. Subclasses define `modulation`.

    Trainable weights are float32 even with mixed precision: there are few, and their gradients are sums over whole
    maps. With other types of weights, the statistics, the scale and the shift are still computed in float32 or more.

    Shape: (batch, ..., channels) -> the same, with the channels at `axis`.

    Args:
        init: "bn" if the layer starts as batch normalization, or "paper" for the initial values of its paper.
        frozen_statistics: Whether training uses the moving statistics and leaves them as they are. It can be set later,
            before the model is compiled. Unlike `trainable`, it does not stop the weights from learning.
        **kwargs: The arguments of keras.layers.BatchNormalization, except center, scale and the initializers of
            gamma and beta.

    Raises:
        ValueError: There is no such init, or an argument has no meaning here.
    """

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        axis: int = -1,
        synchronized: bool = False,
        init: str = "bn",
        frozen_statistics: bool = False,
        **kwargs: Any,
    ) -> None:
        if decided := next((name for name in _DECIDED if name in kwargs), None):
            raise ValueError(
                f"{type(self).__name__}: takes no {decided}, because it always has gamma and beta, and init says how "
                "they start; leave it out."
            )
        super().__init__(
            axis=axis,
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=synchronized,
            **kwargs,
        )
        if init not in INITS:
            raise ValueError(f"{type(self).__name__}: init must be one of {', '.join(INITS)}, got {init!r}.")
        self.init = init
        self.frozen_statistics = frozen_statistics

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"{type(self).__name__}: takes maps, (batch, ..., channels), got shape {input_shape}.")
        super().build(input_shape)

    def _weight(self, name: str, shape: tuple[int | None, ...], initializer: Any) -> keras.Variable:
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{name}_regularizer", None),  # of gamma and beta
            constraint=getattr(self, f"{name}_constraint", None),
            name=name,
            autocast=False,
        )

    def modulation(self, mean: Any, variance: Callable[[], Any], training: bool) -> tuple[Any, Any]:
        """Returns scale and shift, (batch, channels) or (channels,), from the means and variances of the samples.

        They have the type of the means, which is float32 or more.
        """
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> Any:  # type: ignore[override]  # takes no mask
        training = bool(training) and self.trainable and not self.frozen_statistics
        if training and self._takes_few_passes(inputs):
            return self._in_few_passes(inputs)
        axes = self.spatial_axes(len(inputs.shape))
        inputs, mean = instance_mean(inputs, axes, training)

        def variance() -> Any:
            return ops.mean(ops.square(ops.cast(inputs, mean.dtype) - self._spread(mean, inputs)), axis=axes)

        scale, shift = self.modulation(mean, variance, training)
        if training:
            normalized = super().call(inputs, training=True)
            scale, shift = (ops.cast(factor, self.compute_dtype) for factor in (scale, shift))
            return normalized * self._spread(scale, inputs) + self._spread(shift, inputs)
        # Folding the moving statistics into scale and shift saves a pass over memory.
        moving_mean, moving_variance = (ops.cast(one, mean.dtype) for one in (self.moving_mean, self.moving_variance))
        scale = scale * ops.rsqrt(moving_variance + self.epsilon)
        shift = shift - scale * moving_mean
        outputs = ops.cast(inputs, scale.dtype) * self._spread(scale, inputs) + self._spread(shift, inputs)
        return ops.cast(outputs, self.compute_dtype)

    def _takes_few_passes(self, inputs: Any) -> bool:
        return (
            not self.synchronized
            and len(inputs.shape) == 4
            and self.axis in (3, -1)
            and None not in inputs.shape[1:]
            and math.prod(inputs.shape[1:]) >= _LARGE
            and keras.backend.standardize_dtype(inputs.dtype) == self.compute_dtype == "float32"
            and on_tensorflow_cpu()
        )

    def _in_few_passes(self, inputs: Any) -> Any:
        maps = moments(inputs)
        scale, shift = self.modulation(maps.mean, lambda: maps.square - ops.square(maps.mean - maps.center), True)
        variance = ops.mean(maps.square, axis=0)  # of the batch: its mean is maps.center
        self._average(self.moving_mean, maps.center)
        self._average(self.moving_variance, variance)
        scale = scale * ops.rsqrt(variance + self.epsilon)  # (batch, channels)
        return affine(maps, scale, ops.broadcast_to(shift, ops.shape(scale)))

    def spatial_axes(self, rank: int) -> list[int]:
        return [axis for axis in range(1, rank) if axis != self.axis % rank]

    def _spread(self, factor: Any, inputs: Any) -> Any:
        """(batch, channels) or (channels,) -> (batch or 1, 1, 1, channels)."""
        shape = [1] * len(inputs.shape)
        shape[self.axis] = inputs.shape[self.axis]
        shape[0] = -1
        return ops.reshape(factor, shape)

    def get_config(self) -> dict[str, Any]:
        config = {key: value for key, value in super().get_config().items() if key not in _DECIDED}
        return {**config, "init": self.init, "frozen_statistics": self.frozen_statistics}
