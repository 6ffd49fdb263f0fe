"""The commands inspect and plan, for data that no model has been trained on yet."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress
from rich.table import Column, Table

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.check_writable import check_writable
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.commands.numbers import Number
from efficientmixnet.pipeline.commands.open_page import open_page
from efficientmixnet.pipeline.terminal import PlainConsole

if TYPE_CHECKING:
    from efficientmixnet.components.image_example_gen.sources import Sources
    from efficientmixnet.pipeline.inspection.inspect_images import Inspection

_MOST_CLASSES = 20  # in the printed table


@click.command()
@click.argument("data")
@click.option(
    "--page",
    default="inspection.html",
    show_default=True,
    type=LocalPath(dir_okay=False, path_type=Path),
    help="The HTML page to write.",
)
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key, such as data.max_pixels=1000000."
)
@click.option("--statistics/--no-statistics", default=True, help="Also write a page with the statistics of TFDV.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def inspect(data: str, page: Path, overrides: tuple[str, ...], statistics: bool, show: bool) -> None:
    """Count the classes, sizes, formats, duplicates and corrupt files of DATA.

    Also writes a page with samples of each class. DATA is a value of data.images, such as a folder with one subfolder
    for each class, or a configuration (YAML).
    """
    announce("reading the configuration")
    from efficientmixnet.pipeline.config.config import load_config

    is_file = data.endswith((".yaml", ".yml"))
    config = load_config(data if is_file else None, overrides, None if is_file else data).data
    check_writable("--page", page)
    statistics_page = page.with_suffix(".statistics.html")
    if statistics:
        check_writable("--page", statistics_page)

    from efficientmixnet.components.image_example_gen.channels import find_channels
    from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
    from efficientmixnet.components.image_example_gen.findings import warnings
    from efficientmixnet.pipeline.config.data_config import bands_problem
    from efficientmixnet.pipeline.inspection.inspect_images import inspect_images
    from efficientmixnet.pipeline.inspection.page import render

    console = PlainConsole(soft_wrap=True)
    announce(f"reading the images of {config.manifest or config.images}")
    sources = find_dataset(
        config.images, config.manifest, config.splitting, config.layout, config.max_image_bytes, config.corrections
    )
    channels = config.channels
    if channels == "auto":
        channels = find_channels(sources, config.layout, config.max_image_bytes)
        if problem := bands_problem(config.bands, channels):
            raise BadInput(f"data.bands: {problem}")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("images", total=len(sources.entries))
        found = inspect_images(
            sources,
            config.layout,
            sources.splits,
            config.max_pixels,
            lambda: bar.advance(task),
            config.max_image_bytes,
            channels,
            config.bands,
        )
    notes = warnings(found.counts, found.duplicates, found.left_out, found.near_duplicates, sources.labels)
    _print(console, found, sources, notes)
    where = config.manifest or config.images
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        if statistics and found.described:
            from efficientmixnet.pipeline.local.quiet import noise_to

            announce("loading TensorFlow Data Validation for the page of statistics")
            with noise_to(Path(os.devnull), also_show=False):  # TensorFlow prints messages when it is imported.
                from efficientmixnet.pipeline.inspection.statistics_view import statistics_view

                drawn = statistics_view(where, found)
            write_text(statistics_page, drawn)
        link = statistics_page.name if statistics and found.described else None
        write_text(page, render(where, found, notes, link, sources.notes, sources.corrections))
    except OSError as error:
        raise BadInput(f"--page {page}: cannot be written: {error.strerror}") from None
    console.print(f"page          {page}")
    if show:
        open_page(page)


@click.command()
@click.option("--images", "number", required=True, metavar="COUNT", help="Number of images, such as 5000 or 1.28M.")
@click.option("--mean-size", default="110KB", show_default=True, help="Mean size of an image file.")
@click.option("--epochs", default=30, show_default=True, type=click.IntRange(1, 10**6), help="Number of epochs.")
@click.option("--deadline", metavar="TIME", help="Print the machines that finish in this time, such as 90m, 24h or 3d.")
@click.option(
    "--training-rate", type=Number(0, 10**9, min_open=True), help="Images per second that one device trains with."
)
@click.option(
    "--rates", type=click.Path(path_type=Path), help="Rates of your machine, from benchmarks/data_path.py --rates FILE."
)
def plan(
    number: str, mean_size: str, epochs: int, deadline: str | None, training_rate: float | None, rates: Path | None
) -> None:
    """Estimate the time, disk space and memory of a run.

    Without --training-rate, the speed of training is that of the machine of the rates, which has no GPU. Give the rate
    of your GPU.
    """
    announce("estimating")
    from efficientmixnet.pipeline.commands.capacity import Plan, Rates, count, duration, size

    measured = Rates.read(rates)
    speed = training_rate or measured.training_images_a_second
    planned = Plan(count(number), size(mean_size), measured, speed, epochs, train_fraction=0.8)
    console = PlainConsole(soft_wrap=True)
    table = Table("component", "time", "writes", "memory", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for row in planned.rows():
        table.add_row(row.component, time_in_words(row.seconds), _bytes(row.disk), _bytes(row.memory))
    console.print(table)
    seconds = planned.data_seconds(1) + planned.training_seconds(1)
    console.print()
    console.print(f"total         {time_in_words(seconds)} on one machine of {measured.cores} cores")
    console.print(
        f"disk          {_bytes(planned.disk)} in addition to {_bytes(planned.images * planned.mean_bytes)} of images"
    )
    if deadline:
        ways = list(planned.ways(duration(deadline)))
        if not ways:
            raise BadInput(
                f"--deadline {deadline}: no number of devices meets it; give the --training-rate of a faster device"
            )
        for devices, workers, took in ways[:4]:
            console.print(
                f"in {deadline:<10} training devices: {devices:<4}  Beam workers: {workers:<5} {time_in_words(took)}"
            )


def time_in_words(seconds: float) -> str:
    """Returns a duration as text, such as 45 s, 12 min, 3.4 h or 2.1 days."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {name}" if seconds / unit < 10 else f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:,.1f} days"


def _bytes(size: float) -> str:
    from efficientmixnet.pipeline.inspection.page import size_in_words

    return size_in_words(size) if size else ""


def _print(console: PlainConsole, found: "Inspection", sources: "Sources", notes: list[str]) -> None:
    from efficientmixnet.components.image_example_gen.findings import by_reason
    from efficientmixnet.components.image_example_gen.skipped import in_words
    from efficientmixnet.pipeline.inspection.inspect_images import side_buckets
    from efficientmixnet.pipeline.inspection.page import size_in_words

    table = Table(
        Column("class", overflow="fold"), *found.counts, box=None, pad_edge=False, show_footer=len(found.labels) > 1
    )
    totals = ["all classes", *(f"{labels.total():,}" for labels in found.counts.values())]
    for column, total in zip(table.columns, totals, strict=True):
        column.footer = total
    for label in found.labels[:_MOST_CLASSES]:
        table.add_row(label, *(f"{labels[label]:,}" for labels in found.counts.values()))
    console.print(table)
    if len(found.labels) > _MOST_CLASSES:
        console.print(f"and {len(found.labels) - _MOST_CLASSES:,} more classes")
    rows = [("images", f"{found.images:,} in {len(found.labels):,} classes, {size_in_words(found.bytes)}")]
    rows.append(("formats", ", ".join(f"{name} {count:,}" for name, count in found.formats.most_common())))
    rows.append(("shorter side", ", ".join(f"{name}: {count:,}" for name, count in side_buckets(found.sizes))))
    rows += [("splits", "; ".join(sources.notes))] if sources.notes else []
    rows += [("corrections", sources.corrections)] if sources.corrections else []
    rows += [("left out", f"{count:,} ({reason})") for reason, count in by_reason(found.left_out).items()]
    rows += [("skipped", in_words(sources.skipped))] if sources.skipped else []
    rows += [("warning", note) for note in notes]
    console.print()
    for name, value in rows:
        console.print(f"{name:<13} {value}")


COMMANDS = (inspect, plan)
