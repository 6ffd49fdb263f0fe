"""kfp.Client with a server on this machine: what it sends, what the commands print, and their exit codes."""

import json
import os
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.kubeflow.server.watch import watch
from efficientmixnet.modules.exceptions import ServerFailed
from efficientmixnet.pipeline.cli import main


@pytest.fixture
def package(tmp_path: Path, golden_file: Path) -> Path:
    file = tmp_path / "digits.yaml"
    file.write_text("# service account: efficientmixnet-runner\n" + golden_file.read_text())
    return file


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.PAUSE", 0.01)


@pytest.fixture(autouse=True)
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command says that it does next. It goes to standard error, which `Result.output` also has."""
    found: list[str] = []
    monkeypatch.setattr("efficientmixnet.kubeflow.commands.server_options.announce", found.append)
    return found


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["kubeflow", *map(str, arguments)])


def test_submit_sends_the_package_its_parameters_root_and_service_account(
    server: Any, package: Path, golden: list[dict[str, Any]]
) -> None:
    result = _call(
        "submit", package, "--endpoint", server.url, "--experiment", "flowers", "--run-name", "first",
        "--param", "images=s3://bucket/flowers", "--param", "max_left_out=0.5",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output == f"run run-1  {server.url}/#/runs/details/run-1\n"
    assert server.body("/experiments")["display_name"] == "flowers"
    body = server.body("/runs")
    assert (body["experiment_id"], body["display_name"]) == ("experiment-1", "first")
    assert body["service_account"] == "efficientmixnet-runner"
    assert body["runtime_config"] == {
        "parameters": {"images": "s3://bucket/flowers", "max_left_out": 0.5},
        "pipeline_root": "minio://mlpipeline/efficientmixnet",
    }
    assert body["pipeline_spec"]["platform_spec"] == golden[1]
    assert (
        body["pipeline_spec"]["pipeline_spec"]["root"]["dag"]["tasks"].keys()
        == golden[0]["root"]["dag"]["tasks"].keys()
    )


@pytest.mark.parametrize(
    ("version", "noted"), [("2.17.0", True), ("v3.0.1", True), ("2.5.0", False), ("unknown", False), ("2.16.2", False)]
)
def test_submit_says_what_the_server_does_not_retry(server: Any, package: Path, version: str, noted: bool) -> None:
    server.version = version
    result = _call("submit", package, "--endpoint", server.url)
    assert result.exit_code == 0, result.output
    assert ("retryPolicy in the ConfigMap workflow-controller-configmap" in result.output) is noted


def test_options_override_the_package(server: Any, package: Path) -> None:
    result = _call(
        "submit", package, "--endpoint", server.url, "--service-account", "other", "--pipeline-root", "s3://b/c",
        "--no-cache",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    body = server.body("/runs")
    assert body["service_account"] == "other"
    assert body["runtime_config"]["pipeline_root"] == "s3://b/c"
    tasks = body["pipeline_spec"]["pipeline_spec"]["root"]["dag"]["tasks"]
    assert [task["cachingOptions"].get("enableCache", False) for task in tasks.values()] == [False] * len(tasks)


def test_a_schedule_has_a_cron_expression_and_one_run_at_a_time(server: Any, package: Path) -> None:
    result = _call("submit", package, "--endpoint", server.url, "--cron", "0 0 6 * * *")
    assert result.output == "schedule schedule-1\n"
    body = server.body("/recurringruns")
    assert body["trigger"]["cron_schedule"]["cron"] == "0 0 6 * * *"
    assert int(body["max_concurrency"]) == 1
    result = _call("submit", package, "--endpoint", server.url, "--cron", "0 6 * * *")
    assert "give six fields, seconds first" in result.output


def test_upload_adds_a_version_of_the_pipeline(server: Any, package: Path) -> None:
    result = _call("submit", package, "--endpoint", server.url, "--upload")
    assert result.output.startswith("pipeline pipeline-1, version version-1\n")
    (uploaded,) = (body for _, path, body, _ in server.requests if path.endswith("/pipelines/upload"))
    assert b"schemaVersion: 2.1.0" in uploaded
    server.pipelines = [{"pipeline_id": "pipeline-1", "display_name": "digits"}]
    result = _call("submit", package, "--endpoint", server.url, "--upload")
    assert result.output.startswith("pipeline pipeline-1, version version-2\n")


def test_a_token_or_cookie_is_sent_and_never_shown(server: Any, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_TOKEN", "hunter2")
    shown = _call("submit", package, "--endpoint", server.url).output
    assert server.requests[-1][3]["authorization"] == "Bearer hunter2"
    monkeypatch.delenv("KFP_TOKEN")
    monkeypatch.setenv("KFP_COOKIE", "session=hunter2")
    shown += _call("submit", package, "--endpoint", server.url).output
    assert server.requests[-1][3]["Cookie"] == "session=hunter2"
    server.failing = 401
    shown += _call("submit", package, "--endpoint", server.url).output
    assert "hunter2" not in shown


def test_the_pods_token_is_read_again_for_each_request(
    server: Any, run: Any, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("hunter2")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    result = _call("submit", package, "--endpoint", server.url, "--service-account-token")
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    assert {headers["authorization"] for *_, headers in server.requests if "authorization" in headers} == {
        "Bearer hunter2"
    }
    assert server.requests[-1][3]["authorization"] == "Bearer hunter2"
    server.runs = [run("RUNNING"), run("SUCCEEDED")]
    with Connection(server.url, service_account=True).client() as client:
        client.get_run("run-1")
        token.write_text("renewed")
        client.get_run("run-1")
    assert [headers["authorization"] for *_, headers in server.requests[-2:]] == ["Bearer hunter2", "Bearer renewed"]


def test_a_pod_without_a_token_is_refused(
    server: Any, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH", raising=False)
    result = _call("submit", package, "--endpoint", server.url, "--service-account-token")
    assert result.exit_code == 2
    assert (
        "/var/run/secrets/kubeflow/pipelines/token cannot be read (No such file or directory); mount" in result.output
    )
    assert server.requests == []


def test_watch_shows_every_change_until_the_run_succeeds(server: Any, package: Path, run: Any) -> None:
    server.runs = [
        run("PENDING"),
        run("RUNNING", DataVersion="SUCCEEDED", Trainer="RUNNING"),
        run("RUNNING", DataVersion="SUCCEEDED", Trainer="FAILED"),
        run("RUNNING", DataVersion="SUCCEEDED", Trainer="RUNNING"),
        run("SUCCEEDED", DataVersion="SUCCEEDED", Trainer="SUCCEEDED", Evaluator="SKIPPED"),
    ]
    result = _call("submit", package, "--endpoint", server.url, "--watch")
    assert result.exit_code == 0, result.output
    assert [line.split() for line in result.output.splitlines()[1:]] == [
        ["DataVersion", "done", "7.0", "s"],
        ["Trainer", "running"],
        ["Trainer", "failed", "7.0", "s"],
        ["Trainer", "running"],
        ["Trainer", "done", "7.0", "s"],
        ["Evaluator", "from", "cache"],
        ["run", "run-1", "succeeded"],
    ]


NOT_YET = "the server may have got the request; look with `efficientmixnet kubeflow runs`"


@pytest.mark.parametrize(
    ("command", "call", "advice"),
    [
        ("submit", "submit.submit", NOT_YET),
        ("watch", "watch.watch", "the run goes on; follow it with `efficientmixnet kubeflow watch run-1`"),
    ],
)
def test_an_interruption_does_not_advise_a_second_run(
    server: Any, package: Path, monkeypatch: pytest.MonkeyPatch, command: str, call: str, advice: str
) -> None:
    monkeypatch.setattr(f"efficientmixnet.kubeflow.server.{call}", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    given = package if command == "submit" else "run-1"
    result = _call(command, given, "--endpoint", server.url)
    assert (result.exit_code, result.output) == (130, f"interrupted: {advice}\n")


@pytest.mark.parametrize(("state", "word"), [("FAILED", "failed"), ("CANCELED", "canceled")])
def test_watch_exits_with_1_if_the_run_does_not_succeed(server: Any, run: Any, state: str, word: str) -> None:
    server.runs = [run(state, Trainer="FAILED")]
    result = _call("watch", "run-1", "--endpoint", server.url)
    assert result.exit_code == 1
    assert "Trainer: Trainer ended with exit code 1" in result.output
    assert f"error: run run-1 {word}" in result.output


def test_watch_repeats_failed_requests(server: Any, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server.runs, server.failing, server.failing_times = [run("SUCCEEDED", Trainer="SUCCEEDED")], 503, 3
    shown: list[str] = []
    assert watch(Connection(server.url), "run-1", lambda task: shown.append(task.name)).state == "SUCCEEDED"
    assert shown == ["Trainer"]
    away, back = capsys.readouterr().out.splitlines()
    assert away == f"{server.url}: the server answered 503: refused with 503; trying again for 300 s"
    assert re.fullmatch(rf"{server.url}: the server answers again after \d+ s", back)
    server.failing_times = None
    with pytest.raises(ServerFailed, match=r"the server answered 503: refused with 503$"):
        watch(Connection(server.url), "run-1", lambda *_: None, patience=0.05)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (401, "the server denies access (401 refused with 401); give --token, --cookie"),
        (403, "the server denies access (403 refused with 403)"),
        (404, "not found (refused with 404)"),
        (500, "the server answered 500: refused with 500"),
    ],
)
def test_each_error_of_the_server_is_one_line(server: Any, package: Path, status: int, line: str) -> None:
    server.failing = status
    result = _call("submit", package, "--endpoint", server.url)
    assert result.exit_code == 1
    assert line in result.output
    assert result.output.count("\n") == 1


def test_a_server_that_is_down_is_one_line(server: Any, package: Path) -> None:
    url = server.url
    server.stop()
    result = _call("submit", package, "--endpoint", url)
    assert result.exit_code == 1
    assert f"{url}: cannot connect (" in result.output
    assert "check that the server, or the port-forward, is running" in result.output


def test_a_slow_server_is_an_error_after_the_timeout(server: Any, package: Path) -> None:
    server.pause = 1.0
    began = time.monotonic()
    result = _call("submit", package, "--endpoint", server.url, "--timeout", "0.3")
    assert "no answer within 0.3 s; try again, or raise --timeout" in result.output
    assert time.monotonic() - began < 5


def test_submit_without_an_endpoint_or_a_cluster_is_refused(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    result = _call("submit", package)
    assert result.exit_code == 2
    assert "--endpoint: give the server's URL, such as http://localhost:8080" in result.output


def test_an_unknown_parameter_is_refused_before_any_request(server: Any, package: Path) -> None:
    result = _call("submit", package, "--endpoint", server.url, "--param", "epochs=3")
    assert result.exit_code == 2
    assert (
        "--param epochs: the package has no such parameter; give one of corrections, images, manifest" in result.output
    )
    assert server.requests == []


def test_a_file_without_a_package_is_refused(server: Any, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    for content, line in (("a: [", "is not valid YAML"), ("data: {}", "is not a package"), (None, "does not exist")):
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        result = _call("submit", file, "--endpoint", server.url)
        assert result.exit_code == 2
        assert line in result.output


def test_runs_are_listed_and_stopped(server: Any, run: Any, announced: list[str]) -> None:
    server.runs = [run("RUNNING")]
    result = _call("runs", "--endpoint", server.url)
    assert result.output == f"run-1  RUNNING    2026-01-02 03:04  {'':<20}  digits\n"
    assert _call("stop", "run-1", "--endpoint", server.url).output == "stopping run run-1\n"
    assert server.requests[-1][:2] == ("POST", "/apis/v2beta1/runs/run-1:terminate")
    assert announced == ["connecting to Kubeflow Pipelines"] * 2


def test_help_does_not_import_kfp() -> None:
    import subprocess
    import sys

    code = """
import sys
from click.testing import CliRunner
from efficientmixnet.pipeline.cli import main
for command in ("compile", "rehearse", "submit", "watch", "runs", "stop"):
    assert CliRunner().invoke(main, ["kubeflow", command, "--help"]).exit_code == 0
print(sorted({"kfp", "tfx", "tensorflow", "kubernetes", "s3fs"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert json.loads(found.stdout.replace("'", '"')) == []


def test_names_and_errors_from_the_server_are_printed_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "[/x]\x1b[2J\ntoken=HUSH"
    monkeypatch.setattr(
        "efficientmixnet.kubeflow.server.submit.list_runs", lambda *_: [("1", name, "FAILED", "2020-01-02 03:04")]
    )
    assert _call("runs").output == f"1  FAILED     2020-01-02 03:04  {'':<20}  [/x]\\u001b[2J\\ntoken=***\n"
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.watch", lambda *_: SimpleNamespace(state="FAILED"))
    monkeypatch.setattr("efficientmixnet.kubeflow.server.watch.failures", lambda *_: [name])
    assert _call("watch", "1").output == "[/x]\\u001b[2J\n  token=***\nerror: run 1 failed\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--param", "images=https://me:HUSH@web/images"),
        ("--pipeline-root", "s3://me:HUSH@bucket"),
        ("--endpoint", "https://me:HUSH@web"),
    ],
)
def test_a_secret_in_an_option_is_refused(package: Path, option: str, value: str) -> None:
    result = _call("submit", package, option, value)
    assert result.exit_code == 2
    assert f"{option}{' images' if option == '--param' else ''}: holds a password or a signature" in result.output
    assert "HUSH" not in result.output
