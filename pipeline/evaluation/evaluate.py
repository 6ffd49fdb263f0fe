"""evaluate: measures a pushed model on labeled images, and optionally another one on the same images."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from filelock import FileLock, Timeout

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import by_reason
from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK
from efficientmixnet.components.image_example_gen.tables import LEFT_OUT_FILE
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, UnsafeSchema
from efficientmixnet.modules.exported_model import channels_of
from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.files.stored_file import DAMAGE
from efficientmixnet.modules.files.whole_file import whole_file, write_text
from efficientmixnet.modules.text.secrets import mask
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.data_config import bands_problem
from efficientmixnet.pipeline.config.evaluation_config import EvaluationConfig
from efficientmixnet.pipeline.evaluation.labeled_images import LabeledImages
from efficientmixnet.pipeline.literal_path import literal_path
from efficientmixnet.pipeline.runs.write_relabel_list import write_relabel_list
from efficientmixnet.pipeline.scoring.damaged_model import damaged_model_named

if TYPE_CHECKING:
    from efficientmixnet.components.report.predictions import Predictions
    from efficientmixnet.components.report.write_predictions import Classifier

EVALUATION_FILE = "evaluation.json"
_LOCK_FILE, _TEMPORARY = ".lock", ".records-"


@dataclass(frozen=True)
class Evaluation:
    """A finished evaluation.

    Args:
        found: The content of evaluation.json.
        left_out: The files that were left out.
        page: The report page.
    """

    found: Mapping[str, Any]
    left_out: tuple[LeftOut, ...]
    page: Path


def evaluate(
    model: Path, images: LabeledImages, config: Config, folder: Path, against: Path | None = None, split: str = ""
) -> Evaluation:
    """Measures a model on labeled images, and writes the report page, evaluation.json and the predictions.

    Images with a label that one of the models does not know are not measured. A relabel list that was changed stays as
    it is.

    Args:
        model: The folder of a SavedModel that a run has pushed.
        images: The images.
        config: Its section `evaluation` has the limits to check and the slices.
        folder: The folder to write to.
        against: The folder of another model, which is measured on the same images.
        split: The split that the images are from; empty for all images.

    Raises:
        BadInput: A model is damaged, no image can be measured, or another command is writing to the folder.
    """
    from efficientmixnet.components.report import content
    from efficientmixnet.components.report.page import PAGE_FILE, render_evaluation
    from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
    from efficientmixnet.components.report.relabel import RELABEL_FILE, as_csv
    from efficientmixnet.components.report.write_predictions import write_predictions

    candidate = _load(model)
    other = _load(against, candidate) if against else None
    models = {"model": candidate, **({"against": other} if other else {})}
    unknown = {role: images.unknown(one.labels) for role, one in models.items()}
    known = set(candidate.labels).intersection(*(one.labels for one in models.values()))
    if not known:
        raise BadInput(
            f"{against}: has no label in common with {model}. The labels are {_few(models['against'].labels)}, and "
            f"{_few(candidate.labels)}"
        )
    if known.isdisjoint(images.sources.labels):
        raise _nothing_measured(images, known, [])
    channels = channels_of(model)
    if against and channels_of(against) != channels:
        raise BadInput(f"{against}: takes images of {channels_of(against)} channels, and {model} of {channels}")
    if problem := bands_problem(config.data.bands, channels):
        raise BadInput(f"data.bands: {problem}")
    with _only_evaluation_in(folder) as temporary:
        records, table = temporary / "images.gz", temporary / PREDICTIONS_FILE
        count, left_out = images.write_records(records, known, temporary, channels)
        _write_left_out(folder / LEFT_OUT_FILE, left_out)
        if not count:
            raise _nothing_measured(images, known, left_out)
        former = _former_relabel_list(folder)
        progress.start(count, "images measured")
        write_predictions(candidate, other, [str(records)], str(table))
        predictions = Predictions(table)
        shown = {
            **content.measured(predictions, config.evaluation.slices),
            **content.shown(predictions, candidate, [str(records)], config.data.bands),
        }
        found = {
            "schema_version": 1,
            "model": str(model),
            "against": str(against) if against else None,
            "data": mask(images.data.manifest or images.data.images),
            "split": split or None,
            "images": len(predictions),
            "metrics": {one["name"]: _without_name(one) for one in shown["metrics"]},
            "classes": shown["classes"],
            **_compared(predictions),
            "unknown_labels": unknown,
            "left_out": by_reason(left_out),
            **_checked(config.evaluation, predictions, candidate),
        }
        page = render_evaluation(shown, found)
        table.replace(folder / PREDICTIONS_FILE)
        write_text(folder / EVALUATION_FILE, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        write_relabel_list(folder / RELABEL_FILE, as_csv(shown["relabel"]), former)
        write_text(folder / PAGE_FILE, page)
    return Evaluation(found, tuple(left_out), folder / PAGE_FILE)


@contextmanager
def _only_evaluation_in(folder: Path) -> Iterator[Path]:
    """Makes and locks the folder, and yields a folder in it for temporary files.

    The operating system releases the lock when the process ends.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if is_new:
        (folder / OUTPUT_MARK).touch()  # It is no class, also if it is below the images.
    try:
        with FileLock(folder / _LOCK_FILE, timeout=0):
            for left in folder.glob(f"{_TEMPORARY}*"):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=_TEMPORARY) as temporary:
                yield Path(temporary)
    except Timeout:
        raise BadInput(
            f"--output {folder}: another command is writing to this folder; wait until it ends, or give another folder"
        ) from None


def _former_relabel_list(folder: Path) -> str:
    """Returns the relabel list of the predictions in the folder, or an empty text if they cannot be read."""
    from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
    from efficientmixnet.components.report.relabel import as_csv, rows_to_check

    with suppress(*DAMAGE, pa.ArrowException, UnsafeSchema):
        predictions = Predictions(folder / PREDICTIONS_FILE)
        return as_csv(rows_to_check(predictions, predictions.outcomes()))
    return ""


def _load(model: Path, candidate: "Classifier | None" = None) -> "Classifier":
    from efficientmixnet.components.report.write_predictions import Classifier

    with damaged_model_named(model), literal_path(model) as literal:
        loaded = Classifier(str(literal), candidate.labels if candidate else None)
        loaded.model.signatures["serving_examples"]
    return loaded


def _nothing_measured(images: LabeledImages, known: set[str], left_out: list[LeftOut]) -> BadInput:
    where = mask(images.data.manifest or images.data.images)
    if images.sources.labels.keys() & known:
        first = f"; the first: {left_out[0].name} {left_out[0].reason}" if left_out else ""
        return BadInput(f"{where}: no image can be read{first}")
    return BadInput(
        f"{where}: no image has a label that the model knows. The data has {_few(images.sources.labels)}; "
        f"the model knows {_few(known)}"
    )


def _few(labels: Iterable[str]) -> str:
    names = sorted(labels)
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _write_left_out(file: Path, left_out: list[LeftOut]) -> None:
    if not left_out:
        file.unlink(missing_ok=True)
        return
    with whole_file(file, newline="", encoding="utf-8", errors="replace") as rows:
        write_rows(rows, [("file", "reason"), *(one.row() for one in left_out)])


def _compared(predictions: "Predictions") -> dict[str, Any]:
    """Returns McNemar's test of the two models, if there are two."""
    from efficientmixnet.pipeline.runs.compare import McNemar

    other = predictions.baseline_outcomes()
    if other is None:
        return {"mcnemar": None}
    test = McNemar.of(predictions.outcomes().correct, other.correct)
    counts = {"images": test.images, "only_model": test.only_first, "only_against": test.only_second}
    words = test.in_words("MODEL", "OTHER_MODEL")
    return {"mcnemar": {**counts, "p_value": test.p_value, "result": words}}


def _checked(settings: EvaluationConfig, predictions: "Predictions", candidate: "Classifier") -> dict[str, list[str]]:
    """Returns the limits of the gate that are missed and kept. Default tolerances are no limits here."""
    from efficientmixnet.components.evaluator.gate import Gate
    from efficientmixnet.components.evaluator.outcome_slices import slices_of
    from efficientmixnet.modules import features

    limits = settings.model_dump(exclude={"weight", "intervals"})
    if "tolerances" not in settings.model_fields_set:
        limits["tolerances"] = {}
    gate = Gate(**limits)
    columns = {**predictions.described, features.LABEL: predictions.true_labels}
    slices = list(slices_of(predictions.outcomes(), predictions.baseline_outcomes(), columns, gate.slicings))
    missed, kept = gate.check(slices, "the other model")
    return {"missed": missed, "kept": [*kept, *gate.empty(slices)]}


def _without_name(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metric.items() if key != "name"}
