"""The commands that look back on runs: efficientmixnet report, runs, compare, lineage, tfma; and score."""

import os
from pathlib import Path

import click

from efficientmixnet.modules.exceptions import BadInput


@click.command()
@click.argument("run")
@click.option("--open", "show", is_flag=True, help="Show it in the browser too.")
def report(run: str, show: bool) -> None:
    """Write the report of RUN anew: a run's folder, or an output folder for its last run."""
    from efficientmixnet.pipeline.runs.run_report import write_report
    from efficientmixnet.pipeline.runs.runs import read_summary

    summary = read_summary(run)
    page = write_report(summary)
    if page is None:
        raise BadInput(f"{run}: the run left nothing to report on ({summary.state}: {summary.reason})")
    click.echo(page)
    if show:
        click.launch(page.as_uri())


@click.command()
@click.argument("output")
@click.option("--json", "as_json", is_flag=True, help="For machines: each run's summary, a line each.")
def runs(output: str, as_json: bool) -> None:
    """List the runs in the folder OUTPUT, the oldest first: state, metrics, and what was pushed."""
    from efficientmixnet.pipeline.runs.runs import print_runs, runs_of

    summaries = runs_of(output)
    if as_json:
        for summary in summaries:
            click.echo(summary.model_dump_json())
    else:
        print_runs(summaries)


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this HTML file too.")
def compare(folders: tuple[str, ...], page: Path | None) -> None:
    """Compare RUNs with the first one: metrics, configurations, and whether the difference may be chance.

    With one folder, an output folder, all of its runs that evaluated a model are compared.
    """
    from efficientmixnet.pipeline.runs.compare import compare, print_comparison, write_comparison
    from efficientmixnet.pipeline.runs.runs import read_summary, runs_of

    one_output = len(folders) == 1 and Path(folders[0], "runs").is_dir()
    found = compare(runs_of(folders[0]) if one_output else [read_summary(folder) for folder in folders])
    print_comparison(found)
    if page:
        write_comparison(found, page)
        click.echo(page)


@click.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="For machines, with every property of each step.")
def lineage(model: str, as_json: bool) -> None:
    """Show what made MODEL, a pushed model or the folder of pushed models: run, code, configuration, data, steps."""
    from efficientmixnet.pipeline.runs import lineage

    found = lineage.lineage(model)
    if as_json:
        click.echo(lineage.as_json(found))
    else:
        lineage.print_lineage(found)


@click.command()
@click.argument("model")
@click.argument("images")
@click.option("--manifest", metavar="FILE", help="Only those that this CSV or JSON-lines file names in its key path.")
@click.option(
    "--output",
    "outputs",
    metavar="FILE",
    multiple=True,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="predictions.parquet or predictions.csv; give it twice for both.",
)
def score(model: str, images: str, manifest: str | None, outputs: tuple[Path, ...]) -> None:
    """Write the label of every image below the folder IMAGES by MODEL, a pushed model or the folder of those.

    IMAGES and the manifest may lie in an object store: gs://BUCKET/FOLDER. What was stopped goes on where it was when
    it is called again.
    """
    import warnings

    warnings.simplefilter("ignore")  # Google's packages announce which Pythons they will support
    from efficientmixnet.pipeline.scoring.score import score
    from efficientmixnet.pipeline.scoring.scoring_bar import ScoringBar

    with ScoringBar():
        scored = score(model, images, outputs, manifest=manifest)
    if scored.left_out:
        click.echo(f"{scored.left_out:,} files left out, with the reasons in {scored.left_out_file}", err=True)
    click.echo(f"{scored.images:,} images: {', '.join(map(str, scored.outputs))}")


@click.command()
@click.argument("run")
@click.option("--open", "show", is_flag=True, help="Show it in the browser too.")
def tfma(run: str, show: bool) -> None:
    """Write TFMA's own views of RUN as a page: a run's folder, or an output folder for its last run."""
    from efficientmixnet.pipeline.local.quiet import noise_to
    from efficientmixnet.pipeline.runs.runs import read_summary, runs_of
    from efficientmixnet.pipeline.runs.tfma_page.tfma_page import write_tfma_page

    summary = read_summary(run)
    with noise_to(Path(os.devnull), also_show=False):
        page = write_tfma_page(summary, runs_of(str(Path(summary.run).parent.parent)))
    click.echo(page)
    if show:
        click.launch(page.as_uri())


COMMANDS = (report, runs, compare, lineage, score, tfma)
