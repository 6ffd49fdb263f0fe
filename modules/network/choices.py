"""The names of the activations that a block can have."""

ACTIVATIONS = (
    "swish",
    "mish",
    "relu",
    "relu6",
    "leaky_relu",
    "silu",
    "elu",
    "selu",
    "gelu",
    "hard_swish",
    "tanh",
    "linear",
)
