"""LayerOptions: makes the layers of one network with the settings that they have in common."""

from dataclasses import dataclass
from typing import Any

import keras

from efficientmixnet.modules.layers import (
    GroupedPointwiseConv2D,
    Mish,
    SqueezeExcite,
    Swish,
    convolution_initializer,
    normalization,
)
from efficientmixnet.modules.layers.norm import Norm


@dataclass(frozen=True)
class LayerOptions:
    """The settings that all layers of a network have in common."""

    data_format: str
    momentum: float
    epsilon: float
    synchronized: bool

    def normalization(self, norm: Norm, name: str) -> keras.layers.Layer:
        return normalization(
            norm,
            momentum=self.momentum,
            epsilon=self.epsilon,
            data_format=self.data_format,
            synchronized=self.synchronized,
            name=name,
        )

    def normalize_and_activate(self, x: Any, norm: Norm, activation: str, name: str) -> Any:
        """Applies NAME_norm and NAME_activation."""
        return activation_layer(activation, f"{name}_activation")(self.normalization(norm, f"{name}_norm")(x))

    def squeeze_excite(self, ratio: float, filters: int, activation: str, name: str) -> keras.layers.Layer:
        return SqueezeExcite(
            ratio, filters, activation=activation, data_format=self.data_format, name=f"{name}_squeeze_excite"
        )

    def convolution(
        self, filters: int, kernel_size: int = 1, strides: int = 1, groups: int = 1, *, name: str
    ) -> keras.layers.Layer:
        if kernel_size == strides == 1:
            # With one group it equals Conv2D, and trains faster on a CPU.
            return GroupedPointwiseConv2D(filters, groups, data_format=self.data_format, name=name)
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides,
            padding="same",
            data_format=self.data_format,
            use_bias=False,
            kernel_initializer=convolution_initializer(),
            name=name,
        )


def activation_layer(activation: str, name: str) -> keras.layers.Layer:
    """Returns the layer of an activation."""
    own = {"swish": Swish, "silu": Swish, "mish": Mish}
    return own[activation](name=name) if activation in own else keras.layers.Activation(activation, name=name)
