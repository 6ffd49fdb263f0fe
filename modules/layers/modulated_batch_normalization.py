"""Batch normalisation whose scale and shift follow from each sample: what AN and IEBN have in common.

out[n] = scale[n] (x[n] - mean) / sqrt(var + epsilon) + shift[n]        scale, shift: (batch, channels)
"""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from efficientmixnet.modules.layers.instance_mean import instance_mean


class ModulatedBatchNormalization(BatchNormalization):
    """(batch, ..., channels) -> (batch, ..., channels), or as `axis` says. Sub-classes define `modulation`.

    Its trainable weights are float32 under mixed precision too: they are few, and their gradients sums over whole maps.
    """

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        axis: int = -1,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=axis,
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=synchronized,
            **kwargs,
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"{type(self).__name__}: takes maps, (batch, ..., channels), got shape {input_shape}.")
        super().build(input_shape)

    def _weight(self, name: str, shape: tuple[int | None, ...], initializer: Any) -> keras.Variable:
        return self.add_weight(shape=shape, initializer=initializer, name=name, autocast=False)

    def modulation(self, inputs: Any, mean: Any, training: bool) -> tuple[Any, Any]:
        """Inputs and their means, (batch, channels) -> scale and shift: (batch, channels), or (channels,) for all."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> Any:  # type: ignore[override]  # takes no mask
        training = bool(training) and self.trainable
        inputs, mean = instance_mean(inputs, self.spatial_axes(len(inputs.shape)))
        scale, shift = self.modulation(inputs, mean, training)
        if training:
            normalized = super().call(inputs, training=True)
            scale, shift = (ops.cast(factor, self.compute_dtype) for factor in (scale, shift))
            return normalized * self._spread(scale, inputs) + self._spread(shift, inputs)
        # The moving statistics fold into scale and shift, which saves a pass.
        scale = scale * ops.rsqrt(self.moving_variance + self.epsilon)
        shift = shift - scale * self.moving_mean
        outputs = ops.cast(inputs, scale.dtype) * self._spread(scale, inputs) + self._spread(shift, inputs)
        return ops.cast(outputs, self.compute_dtype)

    def spatial_axes(self, rank: int) -> list[int]:
        return [axis for axis in range(1, rank) if axis != self.axis % rank]

    def _spread(self, factor: Any, inputs: Any) -> Any:
        """(batch, channels) or (channels,) -> (batch or 1, 1, 1, channels)."""
        shape = [1] * len(inputs.shape)
        shape[self.axis] = inputs.shape[self.axis]
        shape[0] = -1
        return ops.reshape(factor, shape)

    def get_config(self) -> dict[str, Any]:
        affine = ("gamma", "beta", "moving", "center", "scale")
        return {key: value for key, value in super().get_config().items() if not key.startswith(affine)}
