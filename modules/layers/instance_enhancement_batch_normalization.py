"""Instance Enhancement Batch Normalization (IEBN): batch normalization whose scale is gated by the sample itself.

    out = BN(x) * gamma * sigmoid(w * mean_HW(x) + b) + beta

with one gamma, beta, w and b a channel. At the start w = 0, b = -1, gamma = 1, beta = 0, so the gate is .26894.
Liang et al., "Instance Enhancement Batch Normalization: an adaptive regulator of batch noise", arXiv 1908.04008.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.modulated_batch_normalization import ModulatedBatchNormalization


@keras.saving.register_keras_serializable(package="efficientmixnet")
class InstanceEnhancementBatchNormalization(ModulatedBatchNormalization):
    """(batch, height, width, channels) -> (batch, height, width, channels); channels first with axis=1.

    6 weights a channel: gamma, beta, gate_weight, gate_bias, and the moving mean and variance.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        channels = (input_shape[self.axis],)
        self.gamma = self._weight("gamma", channels, "ones")
        self.beta = self._weight("beta", channels, "zeros")
        self.gate_weight = self._weight("gate_weight", channels, "zeros")
        self.gate_bias = self._weight("gate_bias", channels, keras.initializers.Constant(-1.0))

    def modulation(self, mean: Any, variance: Callable[[], Any], training: bool) -> tuple[Any, Any]:
        gate = ops.sigmoid(mean * self.gate_weight + self.gate_bias)  # (batch, channels)
        return gate * self.gamma, self.beta
