"""ConvMuon: Muon for the kernels of convolutions, and AdamW for all other weights."""

import math
from typing import Any

import keras
from keras import ops

_A, _B, _C = 3.4445, -4.7750, 2.0315  # Jordan's coefficients


@keras.saving.register_keras_serializable(package="efficientmixnet")
class ConvMuon(keras.optimizers.AdamW):
    """Muon for convolutions. Keras's Muon takes AdamW's step for them.

        M_t = μ M_{t-1} + G_t,   θ_t = (1 - η λ) θ_{t-1} - η ρ √max(r, c) NewtonSchulz(G_t + μ M_t)

    A kernel is the matrix of its r = height · width · inputs rows and its c = outputs columns. All singular values of
    its step are about 1, so that directions with small gradients are learned as fast as the others. The factor makes
    the step as large as AdamW's, so that both can have the same learning rate η and weight decay λ (Liu et al., "Muon
    is scalable for LLM training", arXiv 2502.16982, equation 4). Kernels of depthwise convolutions, the classifier,
    scales and biases take AdamW's step. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
    https://kellerjordan.github.io/posts/muon

    Args:
        learning_rate: η, a number or a schedule.
        momentum: μ, of the kernels of convolutions.
        ns_steps: The steps of the Newton-Schulz iteration.
        rms_rate: ρ, the root mean square of the step with a learning rate of 1.
        **kwargs: AdamW's arguments.

    Example:
        >>> model.compile(ConvMuon(0.006, weight_decay=0.05), "sparse_categorical_crossentropy")
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        momentum: float = 0.95,
        ns_steps: int = 5,
        rms_rate: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.rms_rate = rms_rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        is_convolution = len(variable.shape) == 4 and variable.shape[-1] > 1  # 1 for depthwise kernels
        if not is_convolution:
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = ops.cast(gradient, variable.dtype)
        momentum = self._momentums[self._get_variable_index(variable)]
        self.assign(momentum, self.momentum * momentum + gradient)
        matrix = (math.prod(variable.shape[:-1]), variable.shape[-1])
        step = _orthogonal(ops.reshape(gradient + self.momentum * momentum, matrix), self.ns_steps)
        factor = ops.cast(learning_rate, variable.dtype) * self.rms_rate * math.sqrt(max(matrix))
        self.assign_sub(variable, factor * ops.reshape(step, variable.shape))

    def get_config(self) -> dict[str, Any]:
        own = {"momentum": self.momentum, "ns_steps": self.ns_steps, "rms_rate": self.rms_rate}
        return {**super().get_config(), **own}


def _orthogonal(matrix: Any, steps: int) -> Any:
    """Returns the matrix with singular values of about 1, by a Newton-Schulz iteration."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = ops.transpose(matrix) if is_tall else matrix  # The products have the size of the smaller side.
    x = x / (ops.norm(x) + 1e-7)
    for _ in range(steps):
        gram = ops.matmul(x, ops.transpose(x))
        x = _A * x + ops.matmul(_B * gram + _C * ops.matmul(gram, gram), x)
    return ops.transpose(x) if is_tall else x
