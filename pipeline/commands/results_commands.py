"""The commands report, runs, compare, lineage, tfma and score, for finished runs and pushed models."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.check_writable import check_writable
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.commands.open_page import open_page
from efficientmixnet.pipeline.terminal import echo, echo_json


@click.command()
@click.argument("run")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(run: str, show: bool) -> None:
    """Write the report of RUN again.

    RUN is the folder of a run, or an output folder for its last run.
    """
    announce("writing the report")
    from efficientmixnet.pipeline.runs.run_report import why_no_report, write_report
    from efficientmixnet.pipeline.runs.runs import read_summary

    summary = read_summary(run)
    with _writes_to(summary.run):
        page = write_report(summary)
    if page is None:
        raise BadInput(why_no_report(summary))
    echo(str(page))
    if show:
        open_page(page)


@click.command()
@click.argument("output")
@click.option("--json", "as_json", is_flag=True, help="Print each run's summary as one line of JSON.")
def runs(output: str, as_json: bool) -> None:
    """List the runs in the output folder OUTPUT, oldest first."""
    from efficientmixnet.pipeline.runs.runs import print_runs, runs_of

    summaries = runs_of(output)
    if as_json:
        for summary in summaries:
            echo_json(summary.model_dump(mode="json"))
    else:
        print_runs(summaries)


@click.command()
@click.argument("folders", metavar="RUN...", nargs=-1, required=True)
@click.option(
    "--page", type=LocalPath(dir_okay=False, path_type=Path), help="Also write the comparison to this HTML file."
)
def compare(folders: tuple[str, ...], page: Path | None) -> None:
    """Compare the metrics, configurations and predictions of runs with those of the first run.

    RUN is the folder of a run. A single output folder stands for all of its runs that evaluated a model.
    """
    if page:
        check_writable("--page", page)
    announce("comparing the predictions")
    from efficientmixnet.pipeline.runs.compare import compare, print_comparison, write_comparison
    from efficientmixnet.pipeline.runs.runs import read_summary, runs_of

    one_output = len(folders) == 1 and Path(folders[0], "runs").is_dir()
    found = compare(runs_of(folders[0]) if one_output else [read_summary(folder) for folder in folders])
    print_comparison(found)
    if page:
        write_comparison(found, page)
        echo(str(page))


@click.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every property of each step.")
def lineage(model: str, as_json: bool) -> None:
    """Show the run, code, configuration, data and components that MODEL was made with.

    MODEL is a pushed model, the folder of pushed models, or the output folder of runs.
    """
    announce("reading ML Metadata")
    from efficientmixnet.pipeline.runs import lineage

    found = lineage.lineage(model)
    if as_json:
        echo_json(lineage.as_json(found), indent=2)
    else:
        lineage.print_lineage(found)


@click.command()
@click.argument("model")
@click.argument("images")
@click.option(
    "--manifest", metavar="FILE", help="Score only the images in the column path of this CSV or JSON-lines file."
)
@click.option(
    "--output",
    "outputs",
    metavar="FILE",
    multiple=True,
    required=True,
    type=LocalPath(dir_okay=False, path_type=Path),
    help="A .parquet or .csv file. Repeat the option to write both.",
)
def score(model: str, images: str, manifest: str | None, outputs: tuple[Path, ...]) -> None:
    """Write a prediction for every image in the folder IMAGES and its subfolders.

    MODEL is a pushed model, the folder of pushed models, or the output folder of runs. IMAGES and the manifest can be
    in an object store, such as gs://BUCKET/FOLDER. If the command is interrupted, run it again to continue.
    """
    newest_version(Path(model))  # an error comes before TensorFlow is imported
    announce("loading TensorFlow")
    from efficientmixnet.pipeline.scoring.import_tensorflow import import_tensorflow
    from efficientmixnet.pipeline.scoring.score import score
    from efficientmixnet.pipeline.scoring.scoring_bar import ScoringBar

    import_tensorflow()
    with ScoringBar():
        scored = score(model, images, outputs, manifest=manifest)
    if scored.left_out:
        echo(f"{scored.left_out:,} files left out; see {scored.left_out_file} for the reasons", err=True)
    echo(f"{scored.images:,} images scored: {', '.join(map(str, scored.outputs))}")


@click.command()
@click.argument("run")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def tfma(run: str, show: bool) -> None:
    """Write a page with the views of TFMA.

    RUN is the folder of a run, or an output folder for its last run.
    """
    from efficientmixnet.pipeline.local.quiet import noise_to
    from efficientmixnet.pipeline.runs.runs import read_summary, runs_beside
    from efficientmixnet.pipeline.runs.tfma_page.tfma_page import write_tfma_page

    summary = read_summary(run)
    announce("loading TensorFlow Model Analysis")
    with _writes_to(summary.run), noise_to(Path(os.devnull), also_show=False):
        page = write_tfma_page(summary, runs_beside(summary))
    echo(str(page))
    if show:
        open_page(page)


@contextmanager
def _writes_to(folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot be written: {error.strerror}; copy the output folder to another place, and give the copy"
        ) from None


COMMANDS = (report, runs, compare, lineage, score, tfma)
