"""Tests of the section beam."""

import os

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.config.config import load_config

IN_PROCESS_RUNNER = "--runner=efficientmixnet.components.beam.in_process_runner.InProcessRunner"


def test_small_datasets_use_one_process_of_the_named_runner() -> None:
    assert BeamConfig().args() == [IN_PROCESS_RUNNER, "--sdk_container_image=none"]
    assert BeamConfig().args_of_transform(10**9) == []


def test_transform_uses_every_core_for_a_large_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert BeamConfig().args_of_transform(10**11) == [
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=12",
    ]
    assert BeamConfig(workers=1).args_of_transform(10**11) == []


def test_another_runner_gets_its_name_and_its_arguments() -> None:
    arguments = "--job_endpoint=127.0.0.1:8073", "--environment_type=LOOPBACK"
    assert BeamConfig(runner="portable", arguments=arguments).args() == ["--runner=PortableRunner", *arguments]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("beam.runner=flink", "beam.arguments: flink needs --flink_master=... (Flink's REST address, host:port)"),
        ("beam.runner=dataflow", "beam.arguments: dataflow needs --project=... (the Google Cloud project)"),
        ("beam.runner=storm", "beam.runner: should be 'in-process', 'portable', 'flink', 'spark' or 'dataflow'"),
        ("beam.arguments=[--runner=X]", "beam.arguments: remove --runner; beam.runner sets it"),
        ("beam.arguments=[--direct_num_workers=3]", "--direct_running_mode; beam.workers sets them"),
        ("beam.arguments=[job_endpoint]", "beam.arguments: number 1 should have the form --name or --name=value"),
        ("beam.workers=0", "should be 'auto' or greater than or equal to 1, not 0"),
        (
            "beam={runner: portable, workers: 3}",
            "beam.workers: only for the runner in-process; set the workers of portable in beam.arguments",
        ),
    ],
)
def test_bad_values_are_refused_with_their_key(key: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [key])
    assert complaint in str(caught.value)


def test_the_default_time_limit_is_a_day_and_none_in_process() -> None:
    arguments = "--job_endpoint=127.0.0.1:8073", "--environment_type=LOOPBACK"
    assert BeamConfig().seconds is None
    assert BeamConfig(runner="portable", arguments=arguments).seconds == 24 * 3600
    assert BeamConfig(runner="portable", arguments=arguments, timeout=1.5).seconds == 90


def test_messages_name_the_runners_address() -> None:
    arguments = "--flink_master=jobs:8081", "--environment_type=EXTERNAL"
    assert BeamConfig(runner="flink", arguments=arguments).place == "flink at jobs:8081"
