"""run: runs the pipeline on this machine, and writes a summary even if it fails."""

import json
import shlex
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock, Timeout

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK
from efficientmixnet.components.image_example_gen.sources import Sources
from efficientmixnet.components.image_example_gen.tables import DUPLICATES_FILE, LEFT_OUT_FILE, NEAR_DUPLICATES_FILE
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory
from efficientmixnet.modules.failures.refused_by_system import NO_SPACE
from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.files.private_file import make_private
from efficientmixnet.modules.files.whole_file import whole_file, whole_path, write_text
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local.check_files import check_files
from efficientmixnet.pipeline.local.check_model_server import check_model_server
from efficientmixnet.pipeline.local.check_output import check_output
from efficientmixnet.pipeline.local.error_of_run import error_of_run
from efficientmixnet.pipeline.local.imports_at_once import imports_at_once
from efficientmixnet.pipeline.local.live_page import live_page
from efficientmixnet.pipeline.local.quiet import noise_to
from efficientmixnet.pipeline.local.rare_collections import rare_collections
from efficientmixnet.pipeline.local.repeated_run import forget_run, remember_run, repeated_run
from efficientmixnet.pipeline.local.revision import revision, versions
from efficientmixnet.pipeline.local.stages import Stages
from efficientmixnet.pipeline.resolve import resolve
from efficientmixnet.pipeline.runs.metadata import METADATA_FILE, check_metadata
from efficientmixnet.pipeline.runs.run_report import write_report
from efficientmixnet.pipeline.runs.run_summary import Images, Summary
from efficientmixnet.pipeline.runs.trials import write_trials
from efficientmixnet.pipeline.runs.write_model_card import write_model_card
from efficientmixnet.pipeline.short_path import short_path
from efficientmixnet.pipeline.starting_weights import check_download, check_weights
from efficientmixnet.pipeline.stop_signals import StopSignals
from efficientmixnet.pipeline.terminal import echo
from efficientmixnet.pipeline.whereabouts import note

if TYPE_CHECKING:
    from efficientmixnet.pipeline.runs.results import Results

LOG_FILE = "log.txt"


def run(config: Config, verbose: bool = False, use_cache: bool = True, live: bool = False) -> Summary:
    """Runs the pipeline.

    The summary is also written to the run's folder and to the output folder.

    Args:
        config: A configuration with absolute paths, as `load_config` returns it.
        verbose: Whether the log messages of the libraries are printed too.
        use_cache: Whether components reuse the results of earlier runs.
        live: Whether TensorBoard is served on this machine's loopback address during the run.

    Returns:
        The summary of the run.

    Raises:
        BadInput: The configuration or the images cannot be used.
        RunFailed: A component failed. The message names the log.
    """
    if "://" in config.output:
        raise BadInput(
            f"output: {config.output} is in an object store, and a run on this machine needs a local folder; give one, "
            "or run the configuration on Kubeflow, with kubeflow.pipeline_root"
        )
    check_model_server(config.serving)
    check_files(config.data)
    check_download(config.network)
    output = Path(config.output)
    data = config.data
    check_output(output, data.images)
    with _only_run_in(output) as signals:
        check_metadata(output)
        sources = find_dataset(
            data.images, data.manifest, data.splitting, data.layout, data.max_image_bytes, data.corrections
        )
        config = resolve(config, sources)
        if use_cache and (repeated := repeated_run(config, sources)):
            repeated.write(output)
            echo(f"nothing has changed since the run {Path(repeated.run).name}; this is its result")
            return repeated
        started = datetime.now(timezone.utc)
        folder = output / "runs" / started.strftime("%Y%m%d-%H%M%S-%f")
        facts: dict[str, Any] = {
            "run": str(folder),
            "started": started.isoformat(),
            "splits": list(sources.notes),
            "corrections": sources.corrections,
            "versions": versions(),
            "revision": revision(),
        }
        summary = Summary(state="running", reason="the run has not ended, or its process was killed", **facts)
        stages: Stages | None = None
        try:
            forget_run(output)
            folder.mkdir(parents=True)
            content = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
            write_text(folder / "config.yaml", content, private=True)
            summary.write(folder, output)
            announce("loading TensorFlow and TFX")
            note(run=str(folder), output=str(output), log=str(folder / LOG_FILE))
            with noise_to(folder / LOG_FILE, also_show=verbose) as out, Stages(out) as stages:
                stages.tell(f"run folder   {short_path(str(folder))}")
                stages.tell(f"TensorBoard  tensorboard --logdir {shlex.quote(short_path(str(output)))}")
                with live_page(output, stages.tell) if live else nullcontext(), rare_collections():
                    _run_pipeline(config, sources, stages, use_cache, signals)
                summary = _summarize(config, folder, facts)
                folders = _folders(config)
            _add_times(summary, stages, config)
            summary.write(folder, output)
            with suppress(PermissionError):  # a pushed model that nobody may change
                _write_pages(summary)
        except BaseException as error:
            ended = (
                KeyboardInterrupt()
                if signals.caused(error)
                else error_of_run(error, output, folder / LOG_FILE, stages.ended if stages else None)
            )
            if isinstance(ended, BadInput):
                _write_rows(folder / LEFT_OUT_FILE, ended.left_out)
            state = "interrupted" if isinstance(ended, KeyboardInterrupt) else "failed"
            summary = Summary(state=state, reason=str(ended).partition("\n")[0] or state, **facts)
            if ended is error or isinstance(error, KeyboardInterrupt):
                raise
            raise ended from error
        finally:
            if stages:
                _add_times(summary, stages, config)
            with suppress(OSError):  # A full disk has no space for the summary. The command prints the error.
                summary.write(folder, output)
        with suppress(sqlite3.Error, OSError, ValueError):  # Then the next run asks TFX.
            remember_run(config, sources, summary, folders)
    return summary


def _add_times(summary: Summary, stages: Stages, config: Config) -> None:
    summary.seconds, summary.elapsed, summary.cached = stages.seconds, stages.elapsed, stages.cached
    summary.costs = config.report.costs(stages.seconds)
    summary.currency = config.report.currency if summary.costs else None


def _write_pages(summary: Summary) -> None:
    page = write_report(summary)
    summary.report = str(page) if page else None
    write_model_card(summary)


def _run_pipeline(config: Config, sources: Sources, stages: Stages, use_cache: bool, signals: StopSignals) -> None:
    # Imported here, where the output of the libraries goes to the log. Importing TFX takes about ten seconds.
    with imports_at_once():
        import absl.logging

        from efficientmixnet.pipeline.environment import Environment
        from efficientmixnet.pipeline.local.damaged_input import damaged_input
        from efficientmixnet.pipeline.local.patient_runner import PatientRunner
        from efficientmixnet.pipeline.pipeline import create_pipeline

    check_weights(config.network, int(config.data.channels))
    absl.logging.use_absl_handler()
    absl.logging.set_verbosity(absl.logging.INFO)
    logger = absl.logging.get_absl_logger()
    logger.addHandler(stages)
    progress.listen(stages)
    make_private(Path(config.output, METADATA_FILE))  # SQLite takes an empty file for a new database.
    try:
        environment = Environment(config.output, sources.bytes)
        pipeline = create_pipeline(config, sources.fingerprint, environment, use_cache)
        PatientRunner(config.beam, signals.check).run(pipeline)
    except (BadInput, OutOfMemory):
        raise
    except Exception as error:
        is_full = is_out_of_memory(error) or NO_SPACE in str(error)
        if not is_full and (found := damaged_input(Path(config.output))):
            raise found from error
        raise
    finally:
        progress.listen(None)
        logger.removeHandler(stages)


def _summarize(config: Config, folder: Path, facts: dict[str, Any]) -> Summary:
    from efficientmixnet.pipeline.runs.results import Results

    results = Results(Path(config.output, METADATA_FILE))
    verdict = results.verdict()
    if verdict is None:
        raise RuntimeError(f"the run ended without an evaluation; see {folder / LOG_FILE}")
    _copy_tables(results, folder)
    pushed = results.custom_property("PushedModel", "pushed") == 1
    # Pusher needs both blessings: Evaluator's, and InfraValidator's if it runs.
    refused = f"TensorFlow Serving did not load the model or did not answer (serving.infra_validator); see {LOG_FILE}"
    return Summary(
        state="pushed" if pushed else "not_blessed",
        reason=refused if verdict.blessed and not pushed else verdict.reason,
        blessed=pushed,
        accuracy=verdict.metrics.get("accuracy"),
        metrics=verdict.metrics,
        baseline_metrics=verdict.baseline_metrics,
        intervals=verdict.intervals,
        test_accuracy=verdict.test_metrics.get("accuracy"),
        test_metrics=verdict.test_metrics,
        test_intervals=verdict.test_intervals,
        images=Images(
            read=results.custom_property("Examples", "images_read"),
            left_out=results.custom_property("Examples", "images_left_out"),
            left_out_by_reason=json.loads(results.custom_property("Examples", "left_out_by_reason") or "{}"),
        ),
        warnings=json.loads(results.custom_property("Examples", "warnings") or "[]"),
        pushed_model=results.custom_property("PushedModel", "pushed_destination") if pushed else None,
        tensorboard=results.uri("ModelRun"),
        search=write_trials(results.uri("TunerResults") or "", config, folder),
        evaluated=results.uri("InferenceResult"),
        **facts,
    )


def _folders(config: Config) -> list[str]:
    """The folders of the artifacts that the run has read and written."""
    from efficientmixnet.pipeline.runs.results import Results

    return Results(Path(config.output, METADATA_FILE)).folders


def _copy_tables(results: "Results", folder: Path) -> None:
    examples = results.uri("Examples")
    for name in (LEFT_OUT_FILE, DUPLICATES_FILE, NEAR_DUPLICATES_FILE):
        table = Path(examples or "", name)
        if examples and table.exists():
            with whole_path(folder / name) as part:
                shutil.copyfile(table, part)


def _write_rows(path: Path, left_out: tuple[tuple[str, str], ...]) -> None:
    if left_out:
        with whole_file(path, newline="", encoding="utf-8") as file:
            write_rows(file, [("file", "reason"), *left_out])


@contextmanager
def _only_run_in(output: Path) -> Iterator[StopSignals]:
    """Locks the output folder. The operating system releases the lock when the process ends.

    If the body fails before there is a run, the files and folders that this has made are removed.
    """
    places = (output / OUTPUT_MARK, output / ".lock", output, *output.parents)
    try:
        made = [path for path in places if not path.exists()]
        output.mkdir(parents=True, exist_ok=True)
        lock = FileLock(output / ".lock")
        lock.acquire(timeout=0)
        (output / OUTPUT_MARK).touch()
    except Timeout:
        raise BadInput(
            f"output: another run is using {output}; wait until it ends, or give another folder with --output"
        ) from None
    except OSError as error:
        raise BadInput(f"output: {output} cannot be written ({error.strerror}); give another folder") from None
    try:
        with StopSignals() as signals:
            yield signals
    except BaseException:
        if not (output / "runs").exists():
            _remove(made)
        raise
    finally:
        lock.release()


def _remove(made: Sequence[Path]) -> None:
    with suppress(OSError):  # Something else is in the folder.
        for path in made:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
