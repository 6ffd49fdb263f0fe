"""The command evaluate: measures a pushed model on labeled images."""

import os
import sys
from pathlib import Path

import click

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.commands.open_page import open_page

EXIT_LIMIT_MISSED = 3


@click.command()
@click.argument("model")
@click.argument("data")
@click.option("--against", metavar="OTHER_MODEL", help="Also measure this model on the same images, and compare them.")
@click.option("--split", help="Measure only this split of DATA, such as test.  [default: all images]")
@click.option(
    "--threshold",
    "thresholds",
    metavar="METRIC=VALUE",
    multiple=True,
    help="Exit with code 3 if the metric is worse, such as accuracy=0.9.",
)
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key, such as data.max_pixels=1000000."
)
@click.option(
    "--output",
    "folder",
    default="evaluation",
    show_default=True,
    type=LocalPath(file_okay=False, path_type=Path),
    help="The folder for report.html, evaluation.json, predictions.parquet, relabel.csv and left_out.csv.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
def evaluate(
    model: str,
    data: str,
    against: str | None,
    split: str | None,
    thresholds: tuple[str, ...],
    overrides: tuple[str, ...],
    folder: Path,
    show: bool,
) -> None:
    """Measure MODEL on the labeled images DATA.

    MODEL is a pushed model, the folder of pushed models, or the output folder of runs. DATA is a value of data.images,
    such as a folder with one subfolder for each class, or a configuration (YAML), whose thresholds are then checked.
    """
    announce("reading the configuration")
    from efficientmixnet.components.report.relabel import RELABEL_FILE
    from efficientmixnet.pipeline.config.config import load_config
    from efficientmixnet.pipeline.local.check_output import check_output

    is_file = data.endswith((".yaml", ".yml"))
    for limit in thresholds:
        if "=" not in limit:
            raise BadInput(f"--threshold {limit}: give METRIC=VALUE, such as accuracy=0.9")
    limits = (f"evaluation.thresholds.{limit}" for limit in thresholds)
    config = load_config(data if is_file else None, (*overrides, *limits), None if is_file else data)
    if config.evaluation.weight:
        raise BadInput("evaluation.weight: evaluate weights all images the same; add --set evaluation.weight=null")
    for key, file in (("manifest", config.data.manifest), ("corrections", config.data.corrections)):
        if file and os.path.realpath(file) == os.path.realpath(folder / RELABEL_FILE):
            raise BadInput(f"data.{key}: {file} would be overwritten; give another folder with --output")
    check_output(folder, config.data.images, "--output")
    path, other = newest_version(Path(model)), newest_version(Path(against)) if against else None
    announce(f"listing the images of {config.data.manifest or config.data.images}")
    from efficientmixnet.pipeline.evaluation.labeled_images import LabeledImages

    images = LabeledImages.find(config.data, split)
    announce("loading TensorFlow")
    from efficientmixnet.pipeline.evaluation.evaluate import evaluate
    from efficientmixnet.pipeline.evaluation.print_evaluation import print_evaluation
    from efficientmixnet.pipeline.scoring.import_tensorflow import import_tensorflow
    from efficientmixnet.pipeline.scoring.scoring_bar import ScoringBar

    import_tensorflow()
    try:
        with ScoringBar():
            found = evaluate(path, images, config, folder, other, split or "")
    except OSError as error:
        raise BadInput(f"--output {folder}: cannot be written: {error.strerror}") from None
    print_evaluation(found, images)
    if show:
        open_page(found.page)
    if found.found["missed"]:
        sys.exit(EXIT_LIMIT_MISSED)
