"""print_network: a table of a network's stages. It imports neither Keras nor TensorFlow."""

import sys

from rich.table import Table

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network.cost import summarize
from efficientmixnet.pipeline.terminal import PlainConsole


def print_network(config: NetworkConfig, image_size: int | None, classes: int, channels: int = 3) -> None:
    """Prints the shapes, kernel sizes, parameters and multiply-adds of each stage.

    Args:
        config: The section network.
        image_size: Replaces the image size of the configuration, in pixels.
        classes: The number of classes.
        channels: The number of channels of the images.

    Raises:
        BadInput: The network is chosen later.
    """
    if config.variant == "auto":
        raise BadInput("network.variant: auto is chosen by measurement when training starts; give a variant")
    side = image_size or config.image_size or config.default_image_size
    found = summarize(
        config.as_variant(),
        input_shape=(side, side, channels),
        classes=classes,
        activation=config.activation,
        norm=config.placed_norm,
        squeeze_excite=config.squeeze_excite,
    )
    table = Table("stage", "blocks", "kernels", "output", "parameters", "multiply-adds", "fraction", title=found.name)
    for column in table.columns:
        column.overflow = "fold"
    for column in table.columns[3:]:
        column.justify = "right"
    for stage in found.stages:
        table.add_row(
            stage.name,
            str(stage.blocks),
            ", ".join(map(str, stage.kernel_sizes)),
            " x ".join(map(str, stage.output_shape)),
            f"{stage.parameters:,}",
            f"{stage.multiply_adds:,}",
            f"{stage.fraction:.1%}",
        )
    table.add_section()
    table.add_row("total", "", "", "", f"{found.parameters:,}", f"{found.multiply_adds:,}", "100.0%")
    console = PlainConsole(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(f"{found.trainable:,} parameters are trainable. The input is {side} x {side} x {channels}.")
