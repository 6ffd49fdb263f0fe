"""The command ends with a line and an exit code, even if its process is killed. A stub replaces the command."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from efficientmixnet.pipeline.runs.run_summary import Summary

PROGRAM = """
import os, resource, signal, sys, time
from efficientmixnet.pipeline import cli, supervisor
from efficientmixnet.pipeline.whereabouts import note
supervisor._GRACE = 0.2
kernel = sys.argv[1].split(",")
supervisor._killed_by_kernel = lambda: kernel.pop(0)

def command():
    note(place="Trainer", run=sys.argv[2], output=sys.argv[2], log=sys.argv[2] + "/log.txt")
    print("ready", flush=True)
    {body}

cli.main = command
supervisor.main()
"""
KILL = "os.kill(os.getpid(), 9)"
ABORT = "os.abort()"
LIMITED = "resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))"
# A library that drops each KeyboardInterrupt, and a call of C that never returns.
HANGS = {
    "Python": """
    while True:
        try: time.sleep(60)
        except KeyboardInterrupt: pass
""",
    "C": """
    import ctypes
    mutex = ctypes.create_string_buffer(64)  # all zeros: unlocked
    for _ in range(2): ctypes.PyDLL(None).pthread_mutex_lock(mutex)
""",
}
OUT_OF_MEMORY = "out of memory in Trainer: lower training.batch_size, set training.cache: never"

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts the program with a command. The run in tmp_path is running."""
    Summary(state="running", reason="", run=str(tmp_path), started="").write(tmp_path)

    def call(body: str, kernel: str = "oom_kill 0,oom_kill 0", setup: str = "") -> subprocess.Popen:
        program = f"import resource\n{setup}\n{PROGRAM.replace('{body}', body)}"
        words = [sys.executable, "-c", program, kernel, str(tmp_path)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603

    return call


def ended(process: subprocess.Popen) -> tuple[int, str]:
    _, shown = process.communicate(timeout=30)
    return process.returncode, shown.strip()


def summary(folder: Path) -> tuple[str, str]:
    written = Summary.model_validate_json((folder / "summary.json").read_text())
    return written.state, written.reason


@pytest.mark.parametrize(("body", "code"), [("pass", 0), ("sys.exit(3)", 3), ("1 / 0", 1)])
def test_the_exit_code_of_the_command_is_kept(start: Start, body: str, code: int) -> None:
    assert ended(start(body))[0] == code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_runs_with_closed_streams(tmp_path: Path, closed: str) -> None:
    body = "sys.stdin.buffer.read(), sys.stdout.flush(), sys.stderr.flush()"
    check = "sys.exit(3 if all(map(os.get_inheritable, range(3))) else 4)"
    program = PROGRAM.replace("{body}", f"{body}\n    {check}")
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", program, "oom_kill 0", str(tmp_path)]
    assert subprocess.run(words, stdin=subprocess.DEVNULL, timeout=60).returncode == 3  # noqa: S603


def test_a_command_that_the_kernel_kills_is_out_of_memory(start: Start, tmp_path: Path) -> None:
    code, line = ended(start(KILL, kernel="oom_kill 0,oom_kill 1"))
    assert code == 1
    assert line.startswith(f"error: {OUT_OF_MEMORY}")
    assert f"error: {summary(tmp_path)[1]}" == line
    assert summary(tmp_path)[0] == "failed"


def test_a_command_that_is_killed_by_hand_says_so(start: Start, tmp_path: Path) -> None:
    line = f"signal 9 ended the process in Trainer; run the command again to continue, or see {tmp_path}/log.txt"
    assert ended(start(KILL)) == (1, f"error: {line}")
    assert summary(tmp_path) == ("failed", line)


def test_a_command_that_aborts_with_a_limit_is_out_of_memory(start: Start) -> None:
    code, line = ended(start(ABORT, setup=LIMITED))
    assert (code, line.partition(", or")[0]) == (1, f"error: {OUT_OF_MEMORY}")


@pytest.mark.parametrize(("log", "first_words"), [("std::bad_alloc", "out of memory"), ("an error", "signal 6 ended")])
def test_the_log_tells_why_a_command_aborts(start: Start, tmp_path: Path, log: str, first_words: str) -> None:
    (tmp_path / "log.txt").write_text(f"terminate called after throwing an instance of '{log}'\n")
    code, line = ended(start(ABORT))
    assert (code, line[: len("error: ") + len(first_words)]) == (1, f"error: {first_words}")


def test_a_finished_run_keeps_its_summary(start: Start, tmp_path: Path) -> None:
    Summary(state="pushed", reason="good", run=str(tmp_path), started="").write(tmp_path)
    ended(start(ABORT))
    assert summary(tmp_path) == ("pushed", "good")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_command_is_ready_is_an_interruption(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("time.sleep(60)")
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert ended(process) == (130, "interrupted: run the command again to continue")
    assert summary(tmp_path)[0] == "interrupted"


@pytest.mark.parametrize("place", HANGS)
def test_a_second_signal_ends_a_command_that_hangs(start: Start, tmp_path: Path, place: str) -> None:
    process = start(f"signal.signal(15, signal.default_int_handler); print('hangs', flush=True){HANGS[place]}")
    assert process.stdout
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "hangs\n"]
    time.sleep(0.5)
    process.terminate()
    time.sleep(1.2)
    assert process.poll() is None
    process.terminate()
    line = "interrupted: ended at once after a second signal; run the command again to continue"
    assert ended(process) == (130, line)
    assert summary(tmp_path)[0] == "interrupted"


def test_the_command_ends_when_its_parent_is_killed(start: Start) -> None:
    process = start("print(os.getpid(), flush=True); time.sleep(60)")
    assert process.stdout
    child = int([process.stdout.readline() for _ in range(2)][1])
    process.kill()
    process.communicate(timeout=30)  # until the child no longer holds the pipe
    status = Path(f"/proc/{child}/status")
    for _ in range(100):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        time.sleep(0.1)
    pytest.fail("the command goes on")


def test_ctrl_c_in_a_terminal_reaches_the_command_once(tmp_path: Path) -> None:
    body = "got = []; signal.signal(2, lambda *_: got.append(2)); print('steady', flush=True)"
    program = PROGRAM.replace("{body}", f"{body}\n    time.sleep(1.5)\n    print('got', got)")
    process, terminal = pty.fork()
    if not process:
        os.execv(sys.executable, [sys.executable, "-c", program, "oom_kill 0", str(tmp_path)])  # noqa: S606
    shown = b""
    while b"steady" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"]" not in shown:
        shown += os.read(terminal, 1000)
    os.waitpid(process, 0)
    assert b"got [2]" in shown
