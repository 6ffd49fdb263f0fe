"""AttentiveNormalization: batch normalization followed by a mixture of affine maps.

    out = (lambda gamma) * BN(x) + lambda beta

gamma and beta have the shape (mixtures, channels). lambda, (batch, mixtures), is computed from each sample.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from efficientmixnet.modules.layers.initializers import RandomNormal, VarianceScaling
from efficientmixnet.modules.layers.modulated_batch_normalization import ModulatedBatchNormalization

FORMS = ("sigmoid", "hard_sigmoid")


@keras.saving.register_keras_serializable(package="efficientmixnet")
class AttentiveNormalization(ModulatedBatchNormalization):
    """Attentive Normalization (AN).

        out = (lambda gamma) * BN(x) + lambda beta

    lambda, (batch, mixtures), weighs K affine maps for each sample. It has one of two forms:

        "sigmoid":       lambda = sigmoid(W mean_HW(x) + b)
        "hard_sigmoid":  lambda = relu6(BN(W z) + 3) / 6,  z = mean_HW(x) / sqrt(var_HW(x) + 1e-3)

    The second one is that of the authors' code. Li, Sun and Wu, "Attentive Normalization", arXiv 1908.01259.

    At first every map has a weight of about 1/2. With init="paper", gamma starts with mean 1 and deviation 0.1, as in
    the authors' code, so the layer multiplies by about K / 2. In a deep network these factors grow to many orders of
    magnitude. With init="bn", W and beta start at 0, and gamma at 2 / K of the paper's values, shifted so that they sum
    to 2 in each channel. Then the layer starts as batch normalization. The maps differ, so that each can learn.

    Shape: (batch, height, width, channels) -> the same; channels first with axis=1.

    Args:
        n_mixture: The number of affine maps, K in the paper.
        form: How a sample weighs the maps: "sigmoid" or "hard_sigmoid".
        init: How gamma and beta start: "bn" or "paper".
        **options: The arguments of keras.layers.BatchNormalization, except center, scale and the initializers of
            gamma and beta.

    Raises:
        ValueError: n_mixture is below 1, there is no such form or init, or an argument has no meaning here.

    Example:
        >>> keras.ops.shape(AttentiveNormalization(n_mixture=5)(keras.ops.zeros((2, 8, 8, 16))))
        (2, 8, 8, 16)
    """

    def __init__(self, n_mixture: int = 5, form: str = "sigmoid", init: str = "bn", **kwargs: Any) -> None:
        super().__init__(init=init, **kwargs)
        if n_mixture < 1:
            raise ValueError(f"AttentiveNormalization: n_mixture must be at least 1, got {n_mixture}.")
        if form not in FORMS:
            raise ValueError(f"AttentiveNormalization: form must be one of {', '.join(FORMS)}, got {form!r}.")
        self.n_mixture = n_mixture
        self.form = form
        if form == "hard_sigmoid":
            self.attention_normalization = BatchNormalization(
                momentum=self.momentum,
                epsilon=self.epsilon,
                synchronized=self.synchronized,
                dtype=self.variable_dtype,
                name="attention_normalization",
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        channels = input_shape[self.axis]
        as_bn = self.init == "bn"
        # The batch normalization of the hard sigmoid's logits would blow up the noise around zeros.
        kernel = "zeros" if as_bn and self.form == "sigmoid" else VarianceScaling(1.0, "fan_avg", "uniform")
        self.attention_kernel = self._weight("attention_kernel", (channels, self.n_mixture), kernel)
        if self.form == "sigmoid":
            self.attention_bias = self._weight("attention_bias", (self.n_mixture,), "zeros")
        else:
            self.attention_normalization.build((None, self.n_mixture))
        shape = (self.n_mixture, channels)
        self.gamma = self._weight("gamma", shape, maps_of_bn if as_bn else RandomNormal(1.0, 0.1))
        self.beta = self._weight("beta", shape, "zeros" if as_bn else RandomNormal(0.0, 0.1))

    def modulation(self, mean: Any, variance: Callable[[], Any], training: bool) -> tuple[Any, Any]:
        dtype = mean.dtype
        kernel, gamma, beta = (ops.cast(one, dtype) for one in (self.attention_kernel, self.gamma, self.beta))
        if self.form == "sigmoid":
            attention = ops.sigmoid(ops.matmul(mean, kernel) + ops.cast(self.attention_bias, dtype))
        else:
            logits = ops.matmul(mean * ops.rsqrt(variance() + 1e-3), kernel)
            normalized = ops.cast(self.attention_normalization(logits, training=training), dtype)
            attention = ops.relu6(normalized + 3.0) / 6.0
        # attention: (batch, mixtures)
        return ops.matmul(attention, gamma), ops.matmul(attention, beta)  # (batch, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_mixture": self.n_mixture, "form": self.form}


def maps_of_bn(shape: tuple[int, int], dtype: Any = None) -> Any:
    """Returns scales, (mixtures, channels), that sum to 2 in each channel and differ by a tenth."""
    mean = 2 / shape[0]
    scales = RandomNormal(mean, 0.1 * mean)(shape, dtype)
    return scales - ops.mean(scales, axis=0) + mean
