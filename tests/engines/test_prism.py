"""Tests of runs on Prism: equal records, retries after a killed worker, and the time limit."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv

from efficientmixnet.modules import features

pytestmark = pytest.mark.engines

BEFORE_TRANSFORM = ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator"]


@pytest.fixture(scope="module")
def in_process(start):
    """A run without Prism."""
    run = start({}).end()
    assert run.process.returncode == 0, run.text.read_text()
    return run


@pytest.fixture(scope="module")
def stopped(start, pool, on_prism):
    """A run on Prism whose worker is killed in Transform."""
    run = start(on_prism)
    os.kill(pool.await_worker(run, "Transform"), signal.SIGKILL)
    return run.end()


@pytest.fixture(scope="module")
def continued(start, stopped, on_prism):
    """The same command again."""
    return start(on_prism, stopped.output).end()


def test_a_killed_worker_ends_the_run_with_component_and_runner(stopped):
    assert stopped.process.returncode == 1
    last_line = next(line for line in stopped.text.read_text().splitlines() if line.startswith("error: "))
    assert "Transform on the runner portable at 127.0.0.1:8073: the job failed" in last_line
    assert "check that its workers are running" in last_line
    assert "set beam.retries" in last_line
    assert stopped.summary["state"] == "failed"


def test_the_next_run_continues_after_the_last_finished_component(continued):
    assert continued.process.returncode == 0, continued.text.read_text()
    assert continued.summary["cached"] == BEFORE_TRANSFORM
    assert continued.summary["state"] == "pushed"


@pytest.mark.parametrize("kind", ["ImageExampleGen/examples", "Transform/transformed_examples"])
@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_records_equal_those_of_the_in_process_runner(in_process, continued, images, kind, split):
    expected = records(in_process.output, kind, split)
    assert expected.total() > 0.25 * sum(1 for _ in images.rglob("*.png"))
    assert records(continued.output, kind, split) == expected


def test_the_channel_statistics_equal_those_of_the_in_process_runner(in_process, continued):
    found = [channel_statistics(run.output) for run in (in_process, continued)]
    np.testing.assert_allclose(*found, rtol=1e-6)  # The sum of floats depends on their order.


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_statistics_equal_those_of_the_in_process_runner(in_process, continued, split):
    assert statistics(continued.output, split) == statistics(in_process.output, split)


def test_a_run_with_retries_survives_a_killed_worker(start, pool, on_prism, in_process):
    run = start({**on_prism, "retries": 1})
    os.kill(pool.await_worker(run, "Transform"), signal.SIGKILL)
    run.end()
    assert run.process.returncode == 0, run.text.read_text()
    assert run.summary["state"] == "pushed"
    assert run.summary["cached"] == []
    assert len(re.findall(r"Transform on the runner .* retrying \(1 of 1\)", run.text.read_text())) == 1
    kind = "Transform/transformed_examples"
    assert records(run.output, kind, "train") == records(in_process.output, kind, "train")


def test_a_suspended_worker_exceeds_the_time_limit(start, pool, on_prism):
    run = start({**on_prism, "timeout": 0.5})
    hanging = pool.await_worker(run, "ImageExampleGen")
    os.kill(hanging, signal.SIGSTOP)
    try:
        run.end()
    finally:
        os.kill(hanging, signal.SIGKILL)
    output = run.text.read_text()
    assert run.process.returncode == 1
    assert "ImageExampleGen on the runner portable at 127.0.0.1:8073: not finished after 0.5 minutes" in output
    assert "raise beam.timeout" in output


def test_a_missing_job_server_is_reported_with_its_address(start, pool, on_prism):
    elsewhere = [argument.replace("8073", "8074") for argument in on_prism["arguments"]]
    run = start({**on_prism, "arguments": [*elsewhere, "--job_server_timeout=5"]}).end()
    assert run.process.returncode == 1
    output = run.text.read_text()
    assert "ImageExampleGen on the runner portable at 127.0.0.1:8074: the job server does not answer" in output


def records(output: Path, kind: str, split: str) -> Counter[tuple]:
    """The records of a split with their features by name. Their order varies."""
    computed = (features.CHANNEL_MEAN, features.CHANNEL_DEVIATION) if "Transform" in kind else ()
    return Counter(
        tuple((name, str(feature)) for name, feature in sorted(example.items()) if name not in computed)
        for example in examples(output, kind, split)
    )


def channel_statistics(output: Path) -> np.ndarray:
    """The mean and deviation of the channels that Transform writes to every record, [records, 6]."""
    written = examples(output, "Transform/transformed_examples", "train")
    names = features.CHANNEL_MEAN, features.CHANNEL_DEVIATION
    return np.array([[value for name in names for value in one[name].float_list.value] for one in written])


def examples(output: Path, kind: str, split: str) -> Iterator[Mapping[str, tf.train.Feature]]:
    """Yields the features of each record."""
    files = list(map(str, output.glob(f"artifacts/{kind}/*/Split-{split}/*.gz")))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


def statistics(output: Path, split: str):
    """The statistics by feature, as text, and the number of examples. The order of the features varies."""
    (file,) = output.glob(f"artifacts/StatisticsGen/statistics/*/Split-{split}/FeatureStats.pb")
    (data,) = tfdv.load_stats_binary(str(file)).datasets
    return {feature.path.step[0]: str(feature) for feature in data.features}, data.num_examples
