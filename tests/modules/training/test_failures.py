"""A training that cannot go on says why, and what to change."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.distribution.distribution import Distribution
from efficientmixnet.modules.distribution.lost_peers import EXIT_LOST_PEERS, lost_peers_in_words
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training import training_job
from efficientmixnet.modules.training.failures import FiniteLoss, full_memory_in_words


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),  # JAX's
        MemoryError(),
    ],
)
def test_full_memory_names_the_batch_size_and_the_keys_to_change(error: Exception) -> None:
    message = r"training\.batch_size: 512 images .* training\.accumulation_steps"
    with pytest.raises(BadInput, match=message), full_memory_in_words(512):
        raise error


def test_another_error_is_no_full_memory() -> None:
    with pytest.raises(RuntimeError, match="a bug"), full_memory_in_words(512):
        raise RuntimeError("a bug")


def test_of_several_workers_a_broken_connection_asks_for_a_retry(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, lost_peers_in_words(4):
        raise tf.errors.UnavailableError(
            None, None, "Graph execution error:\n\nCollective ops is aborted by: heartbeat\nmore"
        )
    assert ended.value.code == EXIT_LOST_PEERS == 129
    said = capsys.readouterr().out
    assert "another worker of 4 is gone: Collective ops is aborted by: heartbeat\n" in said


@pytest.mark.parametrize("workers", [1, 2])
def test_a_connection_may_break_before_the_first_step(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """A worker that is started again while the others already build the network comes as a stranger to them."""
    distribution = Distribution(tf.distribute.get_strategy(), "", workers=workers)
    monkeypatch.setattr(training_job, "choose_distribution", lambda *_: distribution)

    class Job(training_job.TrainingJob):
        def data(self, distribution: Distribution) -> Any:
            raise tf.errors.AbortedError(None, None, "task 1 tried to connect with a different incarnation")

    job = Job.model_construct(config=ModelConfig())
    with pytest.raises(SystemExit if workers > 1 else tf.errors.AbortedError) as ended:
        training_job.train(job)
    assert workers == 1 or ended.value.code == EXIT_LOST_PEERS


def test_alone_the_same_error_is_no_lost_worker() -> None:
    with pytest.raises(tf.errors.UnavailableError), lost_peers_in_words(1):
        raise tf.errors.UnavailableError(None, None, "a disk")


def test_a_loss_that_is_no_number_is_told_with_step_rate_and_checkpoint(tmp_path: Path) -> None:
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
