"""Batch normalisation whose scale and shift follow from each sample: what AN and IEBN have in common.

out[n] = scale[n] (x[n] - mean) / sqrt(var + epsilon) + shift[n]        scale, shift: (batch, channels)
"""

from typing import Any

import keras
from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from keras import ops


class ModulatedBatchNormalization(BatchNormalization):
    """(batch, ..., channels) -> (batch, ..., channels), or as `axis` says. Sub-classes define `modulation`."""

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

    def modulation(self, inputs: Any, training: bool | None) -> tuple[Any, Any]:
        """float32 inputs -> scale and shift, each (batch, channels) or, if equal for all samples, (channels,)."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        normalized = super().call(inputs, training=training)
        scale, shift = self.modulation(ops.cast(inputs, "float32"), training)
        return normalized * self._spread(scale, inputs) + self._spread(shift, inputs)

    def spatial_axes(self, inputs: Any) -> list[int]:
        rank = len(inputs.shape)
        return [axis for axis in range(1, rank) if axis != self.axis % rank]

    def _spread(self, factor: Any, inputs: Any) -> Any:
        """(batch, channels) or (channels,) -> (batch or 1, 1, 1, channels), in the layer's dtype."""
        shape = [1] * len(inputs.shape)
        shape[self.axis] = -1
        if len(factor.shape) == 2:
            shape[0], shape[self.axis] = -1, factor.shape[1]
        return ops.reshape(ops.cast(factor, self.compute_dtype), shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        kept = ("axis", "momentum", "epsilon", "synchronized")
        batch_normalization = keras.layers.BatchNormalization.__init__.__code__.co_varnames
        return {key: value for key, value in config.items() if key in kept or key not in batch_normalization}
