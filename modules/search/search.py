"""Search: runs the trials of a hyperparameter search."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras_tuner
import tensorflow as tf
from keras_tuner.engine import base_tuner, trial
from keras_tuner.src import utils
from pydantic import ValidationError

from efficientmixnet.modules import progress
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import SearchConfig, as_choices, found_values, takes_whole_numbers
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.data.memory_cache import TRAININGS_VARIABLE
from efficientmixnet.modules.distribution.jax_cluster import VARIABLES
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.untrusted_json import parse_json
from efficientmixnet.modules.files.whole_file import whole_path, write_text
from efficientmixnet.modules.training.caught_signals import CaughtSignals
from efficientmixnet.modules.training.train_elsewhere import train_elsewhere
from efficientmixnet.modules.training.training_job import TrainingJob

_PAUSE = 1.0  # seconds to wait if the algorithm needs the results of running trials
_FAILURES = 3  # failed trials after which a search without any result stops
_ORACLES = {
    "random": keras_tuner.oracles.RandomSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
}


def _save_json(path: str, content: Any) -> str:
    """Writes a file of KerasTuner, which would overwrite it in place. A kill could leave half of it."""
    text = json.dumps(content)
    write_text(path, text)
    return text


utils.save_json = _save_json


class Search(base_tuner.BaseTuner):
    """A hyperparameter search, which runs one trial at a time for each worker. A killed search can resume.

    Args:
        search: The section `search` of the configuration.
        common: The configuration that all trials share.
        job: Returns the training for values of the searched keys.
        folder: Where KerasTuner records the trials until the search is done.
    """

    def __init__(
        self, search: SearchConfig, common: ModelConfig, job: Callable[[Mapping[str, Any]], TrainingJob], folder: str
    ) -> None:
        self._search, self._job, self._folder = search, job, Path(folder)
        self._processes: list[subprocess.Popen] = []
        self._is_over = False
        self._signals = CaughtSignals(self._stop)
        self._lock = threading.Lock()  # KerasTuner's own lock does not protect a finished trial without a score
        if not _is_readable(self._folder):
            progress.tell(f"{self._folder} cannot be read: the search starts from the beginning")
            shutil.rmtree(self._folder)
        oracle = build_oracle(search, common.training)
        super().__init__(oracle, directory=str(self._folder.parent), project_name=self._folder.name)
        self.oracle.verbose = 0

    def search(self) -> None:
        """Runs the remaining trials.

        The records of the trials stay until `remove_records`.

        Raises:
            BadInput: Every trial failed.
        """
        if self._search.algorithm == "hyperband":
            self._tell_if_none_continues()
        self.save()  # without it, the search could not resume
        progress.start(self._search.trials, "trials")
        progress.advance(len(self.oracle.end_order))
        with self._signals, ThreadPoolExecutor(self._search.workers) as pool:
            for one in [pool.submit(self._work, number) for number in range(self._search.workers)]:
                one.result()
        self._signals.deliver()
        if not self._ended("COMPLETED"):
            last = self._ended("FAILED")[-1]
            raise BadInput(f"search.space: every trial failed; the last error: {last.message}")

    def remove_records(self) -> None:
        """Removes the records of the trials. Call it when the result of the search is written."""
        shutil.rmtree(self._folder)

    def _tell_if_none_continues(self) -> None:
        largest = self.oracle._get_num_brackets() - 1
        sizes = [self.oracle._get_size(largest, number) for number in range(self.oracle._get_num_rounds(largest))]
        if self._search.trials <= sizes[0] < sum(sizes):
            progress.tell(
                f"search.trials: {self._search.trials} are too few, because hyperband begins with {sizes[0]} short "
                f"trials and then continues the best of them; set at least {sum(sizes)}"
            )

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The failed trials, in the form in which TFX records the others, with the reason."""
        failed = sorted(self._ended("FAILED"), key=lambda one: int(one.trial_id))
        return [{"trial_id": one.trial_id, "reason": one.message, **one.hyperparameters.values} for one in failed]

    def _work(self, worker: int) -> None:
        try:
            while not self._is_over and not self._has_only_failures:
                with self._lock:
                    one = self.oracle.create_trial(f"worker{worker}")
                if one.status == trial.TrialStatus.STOPPED:
                    return
                if one.status == trial.TrialStatus.IDLE:  # the algorithm waits for another trial
                    time.sleep(_PAUSE)
                else:
                    self._try(one, worker)
        except BaseException:
            self._stop()
            raise

    @property
    def _has_only_failures(self) -> bool:
        return len(self._ended("FAILED")) >= _FAILURES and not self._ended("COMPLETED")

    def _try(self, one: trial.Trial, worker: int) -> None:
        values = one.hyperparameters.values
        place = Path(self.get_trial_dir(one.trial_id), "checkpoint")
        before = values.get("tuner/trial_id")  # hyperband: the shorter trial that this one continues
        try:
            job = self._job(values).model_copy(update={"checkpoints": str(place), "until": values.get("tuner/epochs")})
            if before and not place.exists():
                with whole_path(place) as part:
                    shutil.copytree(Path(self.get_trial_dir(before), "checkpoint"), part)
            logs = train_elsewhere(job, self._environment(worker), listener=_Listener(one), started=self._started)
        except (BadInput, ValidationError, RuntimeError, SystemExit) as error:
            if self._is_over:
                return
            result = f"failed: {error}"
            with self._lock:
                one.status, one.message = trial.TrialStatus.FAILED, str(error)
                self._end(one)
        else:
            result = f"{self._search.objective} {logs[self._search.objective]:.4f}"
            with self._lock:
                self.oracle.update_trial(one.trial_id, logs)
                one.status = trial.TrialStatus.COMPLETED
                self._end(one)
        if self._search.algorithm != "hyperband":
            shutil.rmtree(place, ignore_errors=True)
        chosen = "  ".join(f"{key} {_short(value)}" for key, value in found_values(values).items())
        progress.tell(f"trial {int(one.trial_id) + 1}: {result}  {chosen}")
        progress.advance(1, self._best())

    def _end(self, one: trial.Trial) -> None:
        self.oracle.end_trial(one)
        self.save()  # KerasTuner saves before it takes the trial from the running ones, so it would be repeated

    def _started(self, process: subprocess.Popen) -> None:
        self._processes.append(process)
        if self._is_over:
            process.terminate()

    def _stop(self) -> None:
        self._is_over = True
        for process in self._processes:
            process.terminate()

    def _ended(self, status: str) -> list[trial.Trial]:
        with self._lock:
            return [one for one in self.oracle.trials.values() if one.status == status]

    def _best(self) -> progress.Figures:
        scores = [one.score for one in self._ended("COMPLETED")]
        best = max if self._search.direction == "max" else min
        return {f"best {self._search.objective.removeprefix('val_')}": best(scores)} if scores else {}

    def _environment(self, worker: int) -> dict[str, str]:
        """Gives each of several workers a GPU or an equal part of the cores, and an equal part of the memory."""
        common = dict.fromkeys(("TF_CONFIG", *VARIABLES), "")  # each trial is a training of its own
        common[TRAININGS_VARIABLE] = str(self._search.workers)
        if self._search.workers == 1:
            return common
        gpus = len(tf.config.list_physical_devices("GPU"))
        if not gpus:
            return {**common, "TF_NUM_INTRAOP_THREADS": str(max((os.cpu_count() or 1) // self._search.workers, 1))}
        visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(gpus)))
        return {**common, "CUDA_VISIBLE_DEVICES": visible.split(",")[worker % gpus]}


class _Listener:
    """Adds the figures of a running trial to the progress of the search."""

    def __init__(self, one: trial.Trial) -> None:
        self._number = int(one.trial_id) + 1

    def start(self, total: int, unit: str) -> None:
        pass

    def advance(self, count: int, figures: progress.Figures) -> None:
        progress.advance(0, {"trial": self._number, **figures})

    def tell(self, line: str) -> None:
        pass


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_readable(folder: Path) -> bool:
    """Whether every file can be read. KerasTuner overwrites them in place, so a kill can damage one."""
    try:
        return all(parse_json(file.read_text()) is not None for file in folder.rglob("*.json"))
    except ValueError:
        return False


def build_oracle(search: SearchConfig, training: TrainingConfig) -> keras_tuner.Oracle:
    """Returns KerasTuner's oracle for the space and the algorithm of a search."""
    space = keras_tuner.HyperParameters()
    for key, dimension in search.space.items():
        if dimension.values:
            space.Choice(key, as_choices(dimension.values))
        elif takes_whole_numbers(key):
            step = int(dimension.step) if dimension.step else None
            space.Int(key, int(dimension.min or 0), int(dimension.max or 0), step=step, sampling=dimension.sampling)
        else:
            space.Float(key, dimension.min, dimension.max, step=dimension.step, sampling=dimension.sampling)
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(search.objective, search.direction),
        "hyperparameters": space,
        "seed": training.seed + 1,  # KerasTuner replaces a seed of 0 with a random one
        "max_consecutive_failed_trials": search.trials + 1,  # never: an exception in one thread would block the others
    }
    is_hyperband = search.algorithm == "hyperband"
    limit = {"max_epochs": training.epochs} if is_hyperband else {"max_trials": search.trials}
    oracle = _ORACLES[search.algorithm](**limit, **common)
    oracle.max_trials = search.trials  # HyperbandOracle has no such argument
    return oracle
