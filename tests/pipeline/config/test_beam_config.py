"""The beam section: what the runner gets, and what is refused before anything runs."""

import os

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.beam_config import BeamConfig
from efficientmixnet.pipeline.config.config import load_config

FN_API = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def test_by_default_the_runner_is_named_and_small_data_stays_in_this_process() -> None:
    assert BeamConfig().args() == [FN_API, "--sdk_container_image=none"]
    assert BeamConfig().args_of_transform(10**9) == []


def test_large_data_gets_a_process_a_core_for_transform_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert BeamConfig().args_of_transform(10**11) == [
        "--direct_running_mode=multi_processing",
        "--direct_num_workers=12",
    ]
    assert BeamConfig(workers=1).args_of_transform(10**11) == []


def test_an_runner_gets_its_runner_and_its_arguments() -> None:
    arguments = "--job_endpoint=127.0.0.1:8073", "--environment_type=LOOPBACK"
    assert BeamConfig(runner="portable", arguments=arguments).args() == ["--runner=PortableRunner", *arguments]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("beam.runner=flink", "beam.arguments: flink needs --flink_master=... (Flink's REST address, host:port)"),
        ("beam.runner=dataflow", "beam.arguments: dataflow needs --project=... (Google's project)"),
        ("beam.runner=storm", "beam.runner: should be 'in-process', 'portable', 'flink', 'spark' or 'dataflow'"),
        ("beam.arguments=[--runner=X]", "beam.arguments: --runner follows from beam.runner; leave it out"),
        ("beam.arguments=[--direct_num_workers=3]", "follow from beam.workers"),
        ("beam.arguments=[job_endpoint]", "beam.arguments.0: string should match pattern"),
        ("beam.workers=0", "should be greater than or equal to 1"),
        (
            "beam={runner: portable, workers: 3}",
            "beam.workers: are this machine's; how many portable uses, its arguments say",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_once(key: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [key])
    assert complaint in str(caught.value)


def test_another_runner_has_a_day_for_a_component_and_this_process_all_the_time() -> None:
    arguments = "--job_endpoint=127.0.0.1:8073", "--environment_type=LOOPBACK"
    assert BeamConfig().seconds is None
    assert BeamConfig(runner="portable", arguments=arguments).seconds == 24 * 3600
    assert BeamConfig(runner="portable", arguments=arguments, timeout=1.5).seconds == 90


def test_an_runner_is_named_by_where_it_is() -> None:
    arguments = "--flink_master=jobs:8081", "--environment_type=EXTERNAL"
    assert BeamConfig(runner="flink", arguments=arguments).place == "flink at jobs:8081"
