"""Runs on another Beam runner: the in-process runner's records, and what comes of a worker that dies or hangs."""

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
def gone_on(start, stopped, on_prism):
    """The same command after it."""
    return start(on_prism, stopped.output).end()


def test_a_killed_worker_ends_the_run_with_component_runner_and_cure(stopped):
    assert stopped.process.returncode == 1
    last_line = next(line for line in stopped.text.read_text().splitlines() if line.startswith("error: "))
    assert "Transform on the runner portable at 127.0.0.1:8073: the job failed" in last_line
    assert "see whether its workers live" in last_line
    assert "beam.retries: 1" in last_line
    assert stopped.summary["state"] == "failed"


def test_the_next_run_goes_on_from_the_last_finished_component(gone_on):
    assert gone_on.process.returncode == 0, gone_on.text.read_text()
    assert gone_on.summary["cached"] == BEFORE_TRANSFORM
    assert gone_on.summary["state"] == "pushed"


@pytest.mark.parametrize("kind", ["ImageExampleGen/examples", "Transform/transformed_examples"])
@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_records_are_those_of_the_in_process_runner(in_process, gone_on, images, kind, split):
    expected = records(in_process.output, kind, split)
    assert expected.total() > 0.25 * sum(1 for _ in images.rglob("*.png"))
    assert records(gone_on.output, kind, split) == expected


def test_the_channels_mean_and_deviation_are_those_of_the_in_process_runner(in_process, gone_on):
    found = [channel_statistics(run.output) for run in (in_process, gone_on)]
    np.testing.assert_allclose(*found, rtol=1e-6)  # sums of floats depend on their order


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_statistics_are_those_of_the_in_process_runner(in_process, gone_on, split):
    assert statistics(gone_on.output, split) == statistics(in_process.output, split)


def test_with_retries_a_run_ends_well_by_itself_when_a_worker_is_killed(start, pool, on_prism, in_process):
    run = start({**on_prism, "retries": 1})
    os.kill(pool.await_worker(run, "Transform"), signal.SIGKILL)
    run.end()
    assert run.process.returncode == 0, run.text.read_text()
    assert run.summary["state"] == "pushed"
    assert run.summary["cached"] == []
    assert len(re.findall(r"Transform on the runner .* tried again \(1 of 1\)", run.text.read_text())) == 1
    kind = "Transform/transformed_examples"
    assert records(run.output, kind, "train") == records(in_process.output, kind, "train")


def test_a_worker_that_hangs_meets_the_time_out(start, pool, on_prism):
    run = start({**on_prism, "timeout": 0.5})
    hanging = pool.await_worker(run, "ImageExampleGen")
    os.kill(hanging, signal.SIGSTOP)
    try:
        run.end()
    finally:
        os.kill(hanging, signal.SIGKILL)
    said = run.text.read_text()
    assert run.process.returncode == 1
    assert "ImageExampleGen on the runner portable at 127.0.0.1:8073: not done within 0.5 minutes" in said
    assert "give it more in beam.timeout" in said


def test_a_job_server_that_is_not_there_is_named(start, pool, on_prism):
    elsewhere = [argument.replace("8073", "8074") for argument in on_prism["arguments"]]
    run = start({**on_prism, "arguments": [*elsewhere, "--job_server_timeout=5"]}).end()
    assert run.process.returncode == 1
    said = run.text.read_text()
    assert "ImageExampleGen on the runner portable at 127.0.0.1:8074: its job server does not answer" in said


def records(output: Path, kind: str, split: str) -> Counter[tuple]:
    """The split's records, each with its features by name; their order varies from run to run."""
    computed = (features.CHANNEL_MEAN, features.CHANNEL_DEVIATION) if "Transform" in kind else ()
    return Counter(
        tuple((name, str(feature)) for name, feature in sorted(example.items()) if name not in computed)
        for example in examples(output, kind, split)
    )


def channel_statistics(output: Path) -> np.ndarray:
    """What Transform computed over the training split and wrote into every record: [records, 6]."""
    written = examples(output, "Transform/transformed_examples", "train")
    names = features.CHANNEL_MEAN, features.CHANNEL_DEVIATION
    return np.array([[value for name in names for value in one[name].float_list.value] for one in written])


def examples(output: Path, kind: str, split: str) -> Iterator[Mapping[str, tf.train.Feature]]:
    """Each record's features."""
    files = list(map(str, output.glob(f"artifacts/{kind}/*/Split-{split}/*.gz")))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield tf.train.Example.FromString(record).features.feature


def statistics(output: Path, split: str):
    """By feature: its statistics as text; order varies here too."""
    (file,) = output.glob(f"artifacts/StatisticsGen/statistics/*/Split-{split}/FeatureStats.pb")
    (data,) = tfdv.load_stats_binary(str(file)).datasets
    return {feature.path.step[0]: str(feature) for feature in data.features}, data.num_examples
