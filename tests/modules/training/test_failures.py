"""A training that fails says why, and what to change."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.distribution.lost_workers import EXIT_WORKER_LOST, exit_if_worker_lost
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.training import training_job
from efficientmixnet.modules.training.failures import FiniteLoss, explain_out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),  # JAX's
        MemoryError(),
    ],
)
def test_out_of_memory_names_the_batch_size_and_the_keys_to_change(error: Exception) -> None:
    message = r"out of memory in training: 512 images .* training\.batch_size, .* training\.accumulation_steps"
    with pytest.raises(OutOfMemory, match=message), explain_out_of_memory(512):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a bug"),
        tf.errors.ResourceExhaustedError(None, None, "logs/events.out; No space left on device"),
    ],
)
def test_other_errors_pass_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, explain_out_of_memory(512):
        raise error
    assert raised.value is error


def test_a_broken_connection_between_workers_asks_for_a_retry(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, exit_if_worker_lost(4):
        raise tf.errors.UnavailableError(
            None, None, "Graph execution error:\n\nCollective ops is aborted by: heartbeat\nmore"
        )
    assert ended.value.code == EXIT_WORKER_LOST == 129
    out = capsys.readouterr().out
    assert "one of the 4 workers ended: Collective ops is aborted by: heartbeat\n" in out


@pytest.mark.parametrize("workers", [1, 2])
def test_a_connection_may_break_before_the_first_step(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """The other workers do not know a worker that restarts while they build the network."""
    distribution = Distribution(tf.distribute.get_strategy(), "", workers=workers)
    monkeypatch.setattr(training_job, "choose_distribution", lambda *_: distribution)

    class Job(training_job.TrainingJob):
        def data(self, distribution: Distribution) -> Any:
            raise tf.errors.AbortedError(None, None, "task 1 tried to connect with a different incarnation")

    job = Job.model_construct(config=ModelConfig())
    with pytest.raises(SystemExit if workers > 1 else tf.errors.AbortedError) as ended:
        training_job.train(job)
    assert workers == 1 or ended.value.code == EXIT_WORKER_LOST


def test_with_one_worker_the_same_error_passes_unchanged() -> None:
    with pytest.raises(tf.errors.UnavailableError), exit_if_worker_lost(1):
        raise tf.errors.UnavailableError(None, None, "a disk")


def test_a_loss_that_is_not_finite_is_reported_with_step_rate_and_checkpoint(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    x = np.ones((12, 1), "float32")
    y = x.copy()
    y[10] = np.nan
    checkpoint = Checkpoint(str(tmp_path), None)
    fit = {"batch_size": 2, "shuffle": False, "verbose": 0}
    model.fit(x[:4], y[:4], validation_data=(x[:4], y[:4]), epochs=1, callbacks=[checkpoint], **fit)
    with pytest.raises(
        BadInput, match=r"training\.learning_rate: .* epoch 1 at step 6, .* rate was 0\.25; .*epoch-0001"
    ):
        model.fit(x, y, callbacks=[FiniteLoss(checkpoint)], **fit)
