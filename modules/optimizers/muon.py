"""Muon: Keras's own, mended where Keras 3.12 cannot train with it on TensorFlow.

    M_t = β M_{t-1} + G_t,   θ_t = θ_{t-1} - η f · NewtonSchulz(G_t + β M_t)

for matrices; convolutions, scales and biases take AdamW's step with adam_lr_ratio times the rate. Factor and defaults
are those of the installed Keras: in 3.12 f = √max(1, rows / columns), for stacks of matrices too, and a tenth of the
rate; in 3.15 f = rms_rate √max(rows, columns), as in Moonlight (arXiv 2502.16982, equation 4), and the whole rate.
Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024, https://kellerjordan.github.io/posts/muon
"""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Muon(keras.optimizers.Muon):
    """keras.optimizers.Muon on every backend."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        # TensorFlow hands over its own variables, and Keras 3.12 asks them for a path that only Keras's have.
        variable = self._trainable_variables[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate)
