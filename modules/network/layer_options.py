"""How the layers of one network are made: what all of them share, and the layer of an activation's name."""

from dataclasses import dataclass

import keras

from efficientmixnet.modules.layers import (
    GroupedPointwiseConv2D,
    Mish,
    Swish,
    convolution_initializer,
    normalization,
)
from efficientmixnet.modules.layers.norm import Norm


@dataclass(frozen=True)
class LayerOptions:
    """What all layers of one network share."""

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

    def convolution(
        self, filters: int, kernel_size: int = 1, strides: int = 1, groups: int = 1, *, name: str
    ) -> keras.layers.Layer:
        if kernel_size == strides == 1:
            # Of one group it is Conv2D's equal, and on a CPU the faster one in training.
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
    """The layer of an activation's name."""
    own = {"swish": Swish, "silu": Swish, "mish": Mish}
    return own[activation](name=name) if activation in own else keras.layers.Activation(activation, name=name)
