"""The command `efficientmixnet`, with the subcommands run, init, network, scale and digits.

Commands import TFX and TensorFlow when they are called, so that --help and errors appear at once.
"""

import os
import shlex
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.check_writable import check_writable
from efficientmixnet.pipeline.commands import data_commands, results_commands
from efficientmixnet.pipeline.commands.evaluate_command import evaluate
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.commands.numbers import Number
from efficientmixnet.pipeline.commands.one_line_errors import OneLineErrors, remember_verbose
from efficientmixnet.pipeline.commands.predict_command import predict
from efficientmixnet.pipeline.commands.try_command import try_
from efficientmixnet.pipeline.terminal import echo

_COMMAND_ENTRY_POINTS = "efficientmixnet.commands"
EXIT_NOT_BLESSED = 3


class _Commands(OneLineErrors):
    """The commands of this file and those that other packages add."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*super().list_commands(context), *entry_points(group=_COMMAND_ENTRY_POINTS).names]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if command := super().get_command(context, name):
            return command
        found = entry_points(group=_COMMAND_ENTRY_POINTS, name=name)
        return next((entry.load() for entry in found), None)

    def main(self, *args: Any, **extra: Any) -> Any:
        if not args and extra.get("args") is None:
            # Libraries parse sys.argv too: absl would take our -v for its own flag.
            extra["args"], sys.argv[1:] = sys.argv[1:], []
        return super().main(*args, **extra)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="efficientmixnet")
def main() -> None:
    """Train an image classifier on a folder of images, evaluate it, and push it if it is good enough.

    \b
    Exit codes: 0 success, 1 failure, 2 an input cannot be used,
    3 the model was not blessed and so not pushed, or misses a limit, 130 interrupted.
    """
    use_tensorflow()


for _command in (*data_commands.COMMANDS, predict, try_, evaluate, *results_commands.COMMANDS):
    main.add_command(_command)


@main.command("run")
@click.argument("config", required=False)
@click.option("--data", metavar="IMAGES", help="A folder with one subfolder of images for each class.")
@click.option("--output", metavar="RUNS", help="The output folder for runs and pushed models.  [default: runs]")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key, such as training.epochs=20."
)
@click.option("--budget", metavar="TIME", help="The time for training, such as 30m. It chooses network and epochs.")
@click.option("--no-cache", is_flag=True, help="Run every component, even if nothing has changed for it.")
@click.option("--live", is_flag=True, help="Serve TensorBoard on this machine during the run, and print its address.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    callback=remember_verbose,
    help="Print the log messages of the libraries and the traceback of an error too.",
)
def run_command(
    config: str | None,
    data: str | None,
    output: str | None,
    overrides: tuple[str, ...],
    budget: str | None,
    no_cache: bool,
    live: bool,
    verbose: bool,
) -> None:
    """Train, evaluate and push a model.

    Give CONFIG, a YAML file, or --data, or both.
    """
    if not config and not data:
        raise BadInput(
            "nothing to run; give --data IMAGES or a configuration (`efficientmixnet init my.yaml` creates one)"
        )
    if config and Path(config).is_dir():
        raise BadInput(f"{config}: is a folder; give it as --data {shlex.quote(config)}")
    announce("reading the configuration")
    from efficientmixnet.pipeline.runs.print_summary import show
    from efficientmixnet.pipeline.start_run import run

    if budget is not None:
        overrides = (*overrides, f"training.budget={budget}")
    done = run(data, output, config, overrides=overrides, verbose=verbose, use_cache=not no_cache, live=live)
    show(done.summary)
    if done.summary.state == "not_blessed":
        sys.exit(EXIT_NOT_BLESSED)


@main.command()
@click.argument("file", type=LocalPath(dir_okay=False, path_type=Path))
def init(file: Path) -> None:
    """Write a configuration to FILE, with every key, its meaning and its default as comments."""
    if os.path.lexists(file):
        raise BadInput(f"{file}: already exists; give another name, or delete it")
    check_writable("FILE", file)
    announce("collecting the keys")
    from efficientmixnet.pipeline.config.config_template import config_template

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, config_template())
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from None
    echo(f"{file}: set data.images, then run `efficientmixnet run {shlex.quote(str(file))}`")


@main.command()
@click.argument("network", metavar="CONFIG|VARIANT")
@click.option("--image-size", type=click.IntRange(1, 8192), help="Side length of the input in pixels.")
@click.option("--classes", default=1000, show_default=True, type=click.IntRange(1, 10**6), help="Number of classes.")
def network(network: str, image_size: int | None, classes: int) -> None:
    """Print the parameters and multiply-adds of each stage of a network.

    CONFIG is a configuration file, and VARIANT a name such as B0.
    """
    announce("building the network")
    from efficientmixnet.pipeline.commands.network_table import print_network
    from efficientmixnet.pipeline.config.config import load_config

    is_file = network.endswith((".yaml", ".yml"))
    config = load_config(network if is_file else None, [] if is_file else [f"network.variant={network}"])
    channels = 3 if config.data.channels == "auto" else config.data.channels
    print_network(config.network, image_size, classes, channels)


@main.command()
@click.option("--phi", default=1.0, show_default=True, type=Number(0.01, 100), help="The compound coefficient.")
@click.option(
    "--max-cost",
    default=2.0,
    show_default=True,
    type=Number(1, 1000),
    help="The factor by which the cost grows at phi = 1.",
)
@click.option(
    "--search",
    default=4,
    show_default=True,
    type=click.IntRange(2, 20),
    help="Number of grid points for each coefficient.",
)
@click.option("--top", default=5, show_default=True, type=click.IntRange(1), help="Number of solutions to print.")
def scale(phi: float, max_cost: float, search: int, top: int) -> None:
    """Search the coefficients of compound scaling.

    They fulfill alpha^phi * beta^2phi * gamma^2phi = MAX_COST, where alpha scales the depth of the network, beta its
    width and gamma its input size.
    """
    announce(f"searching from {search**3:,} points")
    from efficientmixnet.modules.network.compound_coefficients import get_compound_coeff_func, optimize_coefficients
    from efficientmixnet.pipeline.scoring.scoring_bar import ScoringBar

    with ScoringBar():
        progress.start(search**3, "points")
        rows = optimize_coefficients(
            phi=phi, max_cost=max_cost, search_per_coeff=search, sort_by_loss=True, progress=progress.advance
        )
    loss = get_compound_coeff_func(phi, max_cost)
    echo("alpha (depth)  beta (width)  gamma (size)  loss")
    for row in rows[:top]:
        echo(f"{row[0]:13.5f}  {row[1]:12.5f}  {row[2]:12.5f}  {loss(row):.1e}")


@main.command()
@click.argument("folder", type=LocalPath(file_okay=False, path_type=Path))
def digits(folder: Path) -> None:
    """Write 1,797 images of handwritten digits to FOLDER, with one subfolder for each class."""
    announce("loading scikit-learn")
    from efficientmixnet.pipeline.commands.digits import write_digits

    try:
        echo(f"{folder}: {write_digits(folder):,} images of handwritten digits")
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written: {error.strerror}") from None
