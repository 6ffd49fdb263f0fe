"""The commands about data that nothing has been trained on yet: efficientmixnet inspect."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from efficientmixnet.modules.bad_input import BadInput

if TYPE_CHECKING:
    from efficientmixnet.components.inspection.inspect_pictures import Inspection

_ROWS = 20  # classes that are printed


@click.command()
@click.argument("data")
@click.option("--page", default="inspection.html", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key, as in run.")
@click.option("--statistics/--no-statistics", default=True, help="Write TFDV's view of the statistics too (seconds).")
@click.option("--open", "show", is_flag=True, help="Show the page in the browser too.")
def inspect(data: str, page: Path, overrides: tuple[str, ...], statistics: bool, show: bool) -> None:
    """Count the classes, sizes, formats, copies and broken files of DATA, and write a page with samples of each class.

    DATA is what data.pictures names, such as a folder of class folders, or a configuration (YAML).
    """
    from efficientmixnet.pipeline.config import load_config

    is_file = data.endswith((".yaml", ".yml"))
    config = load_config(data if is_file else None, overrides, None if is_file else data).data

    from efficientmixnet.components.image_example_gen.findings import warnings
    from efficientmixnet.components.image_example_gen.sources import find_pictures
    from efficientmixnet.components.inspection.inspect_pictures import inspect_pictures
    from efficientmixnet.components.inspection.page import render

    console = Console(highlight=False, soft_wrap=True)
    sources = find_pictures(config.pictures, config.manifest, frozenset(config.splits), config.layout)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("pictures", total=len(sources.entries))
        found = inspect_pictures(sources, config.layout, config.splits, config.max_pixels, lambda: bar.advance(task))
    notes = warnings(found.counts, found.duplicates, found.left_out)
    beside = page.with_suffix(".statistics.html")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        if statistics and found.described:
            from efficientmixnet.components.inspection.statistics_view import statistics_view

            beside.write_text(statistics_view(found), encoding="utf-8")
        link = beside.name if statistics and found.described else None
        page.write_text(render(config.manifest or config.pictures, found, notes, link), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{page}: cannot be written: {error.strerror}") from None
    _print(console, found, notes)
    console.print(f"page          {page}", markup=False)
    if show:
        click.launch(page.resolve().as_uri())


def _print(console: Console, found: "Inspection", notes: list[str]) -> None:
    from efficientmixnet.components.image_example_gen.findings import by_reason
    from efficientmixnet.components.inspection.inspect_pictures import side_buckets
    from efficientmixnet.components.inspection.page import size_in_words

    table = Table("class", *found.counts, box=None, pad_edge=False)
    for label in found.labels[:_ROWS]:
        table.add_row(label, *(f"{labels[label]:,}" for labels in found.counts.values()))
    console.print(table)
    if len(found.labels) > _ROWS:
        console.print(f"and {len(found.labels) - _ROWS:,} more classes")
    rows = [("pictures", f"{found.pictures:,} in {len(found.labels):,} classes, {size_in_words(found.bytes)}")]
    rows.append(("formats", ", ".join(f"{name} {count:,}" for name, count in found.formats.most_common())))
    rows.append(("shorter side", ", ".join(f"{name}: {count:,}" for name, count in side_buckets(found.sizes))))
    rows += [("left out", f"{count:,} {reason}") for reason, count in by_reason(found.left_out).items()]
    rows += [("note", note) for note in notes]
    console.print()
    for name, value in rows:
        console.print(f"{name:<13} {value}", markup=False)


COMMANDS = (inspect,)
