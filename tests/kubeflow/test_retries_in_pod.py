"""A failed task is repeated in its pod if the server counts attempts, as servers with a default retry strategy do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficientmixnet.kubeflow import entrypoint
from efficientmixnet.kubeflow.retries_in_pod import retries_here, run_with_retries

# Fails as often as there are files `left/N`, with the exit code or the signal that is in the file.
CODE = """
import os, pathlib, sys
pathlib.Path("attempts").open("a").write("x")
left = sorted(pathlib.Path("left").iterdir())
if left:
    how = left[0].read_text(); left[0].unlink()
    sys.exit(int(how)) if how.isdigit() else os.kill(os.getpid(), 9)
"""


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "left").mkdir()
    return tmp_path / "attempts"


@pytest.mark.parametrize(
    ("failures", "count", "code", "runs"),
    [
        ([], 2, 0, 1),
        (["1"], 2, 0, 2),
        (["kill", "1"], 2, 0, 3),
        (["1", "1", "1"], 1, 1, 2),
        (["kill"], 0, 137, 1),
        (["2", "1"], 2, 2, 1),  # the user's mistake
        (["143"], 2, 143, 1),  # the pod is stopped
    ],
)
def test_a_failed_or_killed_process_is_repeated(
    attempts: Path, failures: list[str], count: int, code: int, runs: int
) -> None:
    for number, how in enumerate(failures):
        (attempts.parent / "left" / str(number)).write_text(how)
    assert run_with_retries([sys.executable, "-c", CODE], count, pause=0.01, factor=2) == code
    assert len(attempts.read_text()) == runs


def test_each_attempt_starts_without_the_outputs_of_the_one_before(attempts: Path) -> None:
    (attempts.parent / "left" / "0").write_text("1")
    folder, file = attempts.parent / "examples", attempts.parent / "page"
    folder.mkdir()
    for output in (folder / "half", file):
        output.write_text("half")
    outputs = [str(folder), str(file), str(attempts.parent / "absent")]
    assert run_with_retries([sys.executable, "-c", CODE], 1, 0.01, 2, outputs) == 0
    assert not folder.exists() and not file.exists()


@pytest.mark.parametrize(("index", "here"), [(None, False), ("0", True), ("1", False)])
def test_only_the_first_pod_of_a_server_that_counts_attempts_repeats(
    monkeypatch: pytest.MonkeyPatch, index: str | None, here: bool
) -> None:
    monkeypatch.delenv("KFP_RETRY_INDEX", raising=False)
    if index is not None:
        monkeypatch.setenv("KFP_RETRY_INDEX", index)
    assert retries_here() is here


def test_the_entry_point_repeats_the_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KFP_RETRY_INDEX", "0")
    invocation = {"inputs": {"parameterValues": {"earlier": "[]"}}, "outputs": {"outputFile": f"{tmp_path}/out"}}
    retries = {"count": 1, "pause": 0.01, "factor": 2.0}
    command = ["--task", "latest_spans", "--retries", json.dumps(retries)]  # it lacks its inputs
    with pytest.raises(SystemExit) as ended:
        entrypoint.main([*command, "--json_serialized_invocation_args", json.dumps(invocation)])
    assert ended.value.code == 1
    printed = capfd.readouterr()
    assert "the task ended with exit code 1; retry 1 of 1 in 0.01 s" in printed.out
    assert printed.err.count("error: unexpected KeyError") == 2


def test_a_stopped_pod_stops_the_process(tmp_path: Path) -> None:
    waits = f"import time; open({str(tmp_path / 'on')!r}, 'w').close(); time.sleep(60)"
    command = (
        "from efficientmixnet.kubeflow.retries_in_pod import run_with_retries; import sys; "
        f"sys.exit(run_with_retries([sys.executable, '-c', {waits!r}], 2, 0.01, 2))"
    )
    process = subprocess.Popen([sys.executable, "-c", command])  # noqa: S603
    while not (tmp_path / "on").exists():
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=30) == 143
