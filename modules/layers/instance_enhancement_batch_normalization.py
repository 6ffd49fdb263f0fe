"""InstanceEnhancementBatchNormalization: batch normalization with a scale that each sample gates."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.modulated_batch_normalization import ModulatedBatchNormalization


@keras.saving.register_keras_serializable(package="efficientmixnet")
class InstanceEnhancementBatchNormalization(ModulatedBatchNormalization):
    """Instance Enhancement Batch Normalization (IEBN).

        out = BN(x) * gamma * sigmoid(w * mean_HW(x) + b) + beta

    gamma, beta, w and b have one value per channel. They start as w = 0, b = -1 and beta = 0, so the gate starts as
    .26894. With init="paper", gamma starts as 1, so the layer multiplies by .26894. With init="bn", gamma starts as
    1 + e, the inverse of the gate, so the layer starts as batch normalization.

    Liang et al., "Instance Enhancement Batch Normalization: an adaptive regulator of batch noise",
    arXiv 1908.04008.

    The layer has 6 weights per channel: gamma, beta, gate_weight, gate_bias, moving_mean and moving_variance.

    Shape: (batch, height, width, channels) -> the same; channels first with axis=1.

    Args:
        init: How gamma starts: "bn" or "paper".
        **options: The arguments of keras.layers.BatchNormalization, except center, scale and the initializers of
            gamma and beta.

    Raises:
        ValueError: There is no such init, or an argument has no meaning here.

    Example:
        >>> keras.ops.shape(InstanceEnhancementBatchNormalization()(keras.ops.zeros((2, 8, 8, 16))))
        (2, 8, 8, 16)
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        channels = (input_shape[self.axis],)
        gamma = 1 + math.e if self.init == "bn" else 1.0
        self.gamma = self._weight("gamma", channels, keras.initializers.Constant(gamma))
        self.beta = self._weight("beta", channels, "zeros")
        self.gate_weight = self._weight("gate_weight", channels, "zeros")
        self.gate_bias = self._weight("gate_bias", channels, keras.initializers.Constant(-1.0))

    def modulation(self, mean: Any, variance: Callable[[], Any], training: bool) -> tuple[Any, Any]:
        weight, bias, gamma, beta = (
            ops.cast(one, mean.dtype) for one in (self.gate_weight, self.gate_bias, self.gamma, self.beta)
        )
        gate = ops.sigmoid(mean * weight + bias)  # (batch, channels)
        return gate * gamma, beta
