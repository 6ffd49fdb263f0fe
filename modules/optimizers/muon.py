"""Muon: Keras's optimizer, fixed for TensorFlow where Keras 3.12 cannot train with it."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Muon(keras.optimizers.Muon):
    """keras.optimizers.Muon on every backend. Keras 3.12's cannot train on TensorFlow.

        M_t = β M_{t-1} + G_t,   θ_t = θ_{t-1} - η f · NewtonSchulz(G_t + β M_t)

    This is for matrices. Convolutions, scales and biases take AdamW's step with the rate times adam_lr_ratio. The
    factor f and the defaults are those of the installed Keras. In 3.12, f = √max(1, rows / columns), also for stacks of
    matrices, and adam_lr_ratio is 0.1. In 3.15, f = rms_rate √max(rows, columns), as in Moonlight (arXiv 2502.16982,
    equation 4), and adam_lr_ratio is 1. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
    https://kellerjordan.github.io/posts/muon
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        # TensorFlow passes its own variables. Keras 3.12 reads their path, which only Keras's variables have.
        variable = self._trainable_variables[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate)
