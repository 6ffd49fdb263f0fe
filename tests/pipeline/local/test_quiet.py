"""Tests that standard output and error go to the log."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from efficientmixnet.pipeline.local.masked_log import wait_until_complete
from efficientmixnet.pipeline.local.quiet import noise_to

# pytest replaces the streams of Python, so the output comes from another process.
NOISY = """
import ctypes, logging, subprocess, sys
from pathlib import Path
from efficientmixnet.pipeline.local.masked_log import wait_until_complete
from efficientmixnet.pipeline.local.quiet import noise_to

class DiesLoudly:
    def __del__(self):
        raise RuntimeError("as the interpreter ends")

libc, dies_at_the_end = ctypes.CDLL(None), DiesLoudly()
print("before")
try:
    with noise_to(Path(sys.argv[1]), also_show=sys.argv[2] == "show") as out:
        print("print")
        print("print to stderr", file=sys.stderr)
        logging.warning("logged")
        libc.puts(b"from C")
        libc.fflush(None)
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        out.write("for the user\\n")
        raise RuntimeError("stop")
except RuntimeError:
    print("after")
    print("after on stderr", file=sys.stderr)
"""
NOISE = {"print", "print to stderr", "WARNING:root:logged", "from C", "from a child"}


def _noisy(log: Path, how: str) -> tuple[set[str], set[str]]:
    command = [sys.executable, "-c", NOISY, str(log), how]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return set(finished.stdout.splitlines()), set(finished.stderr.splitlines())


def test_output_of_python_c_and_child_processes_goes_only_to_the_log(tmp_path: Path) -> None:
    out, error = _noisy(tmp_path / "log.txt", "hide")
    assert set((tmp_path / "log.txt").read_text().splitlines()) == NOISE
    assert out == {"before", "for the user", "after"}
    assert error == {"after on stderr"}


def test_output_can_go_to_the_log_and_to_standard_error(tmp_path: Path) -> None:
    out, error = _noisy(tmp_path / "log.txt", "show")
    assert set((tmp_path / "log.txt").read_text().splitlines()) == NOISE
    assert out == {"before", "for the user", "after"}
    assert error == NOISE | {"after on stderr"}


@pytest.mark.parametrize("also_show", [False, True])
def test_both_descriptors_are_redirected_and_restored(
    tmp_path: Path, also_show: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with noise_to(tmp_path / "log.txt", also_show) as out:
        os.write(1, b"one ")
        os.write(2, b"two ")
        out.write("shown ")
    os.write(1, b"out")
    os.write(2, b"error")
    assert (tmp_path / "log.txt").read_text() == "one two "
    assert capfd.readouterr() == ("shown out", "one two error" if also_show else "error")


@pytest.mark.parametrize("also_show", [False, True])
def test_an_exception_restores_the_descriptors(
    tmp_path: Path, also_show: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt), noise_to(tmp_path / "log.txt", also_show):
        os.write(2, b"last words")
        raise KeyboardInterrupt
    capfd.readouterr()
    os.write(1, b"out")
    os.write(2, b"error")
    assert capfd.readouterr() == ("out", "error")
    assert (tmp_path / "log.txt").read_text() == "last words"


IN_ASCII = """
import logging, sys
from pathlib import Path
from efficientmixnet.pipeline.local.quiet import noise_to
from efficientmixnet.pipeline.local.stages import Stages

with noise_to(Path(sys.argv[1]), also_show=False) as out, Stages(out) as stages:
    stages._bar.disable = False  # as on a terminal
    stages.emit(logging.LogRecord("absl", logging.INFO, "", 1, "Component Trainer is running.", None, None))
    stages.start(3, "images")
    stages.tell("flowers/gr\\u00f6\\u00dfe")
    stages._console.print(stages._bar.get_renderable())
"""


def test_a_locale_without_the_letters_of_a_name_does_not_stop_the_run(tmp_path: Path) -> None:
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    command = [sys.executable, "-c", IN_ASCII, str(tmp_path / "log.txt")]
    done = subprocess.run(command, env={**os.environ, **ascii_only}, capture_output=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert b"flowers/gr\\xf6\\xdfe" in done.stdout
    assert b"\\u28" not in done.stdout  # a dot of the usual spinner
    assert b"0/3" in done.stdout


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    for word in (b"one ", b"two "):
        with noise_to(tmp_path / "log.txt", also_show=False):
            os.write(1, word)
    assert (tmp_path / "log.txt").read_text() == "one two "


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files as Linux shows them")
@pytest.mark.parametrize("also_show", [False, True])
def test_no_file_descriptor_stays_open(tmp_path: Path, also_show: bool) -> None:
    before = os.listdir("/proc/self/fd")
    with noise_to(tmp_path / "log.txt", also_show):
        os.write(1, b"noise")
    assert os.listdir("/proc/self/fd") == before


def test_large_output_is_copied_completely(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = b"".join(b"line %06d\n" % number for number in range(50_000))
    with noise_to(tmp_path / "log.txt", also_show=True):
        written = 0
        while written < len(noise):
            written += os.write(1, noise[written:])
    assert (tmp_path / "log.txt").read_bytes() == noise
    assert capfd.readouterr().err == noise.decode()


def test_secrets_are_masked_in_the_log_and_on_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with noise_to(tmp_path / "log.txt", also_show=True):
        os.write(1, b"--s3_secret_access_key=HUSH\nhttps://me:HUSH@host/\n\xff\x1b[2J\n")
    assert (tmp_path / "log.txt").read_bytes() == b"--s3_secret_access_key=***\nhttps://***@host/\n\xff\x1b[2J\n"
    shown = "--s3_secret_access_key=***\nhttps://***@host/\n\\udcff\\u001b[2J\n"
    assert capfd.readouterr().err == shown


def test_only_the_owner_can_read_the_log(tmp_path: Path) -> None:
    with noise_to(tmp_path / "log.txt", also_show=False):
        pass
    assert (tmp_path / "log.txt").stat().st_mode & 0o777 == 0o600


def test_a_killed_process_leaves_a_complete_log(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from efficientmixnet.pipeline.local.quiet import noise_to\n"
        "with noise_to(Path(sys.argv[1]), False): os.write(1, b'token=HUSH\\nlast words'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "log.txt")], check=False)  # noqa: S603
    end = time.monotonic() + 20
    while (tmp_path / "log.txt").read_text() != "token=***\nlast words":
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without space")
def test_a_full_disk_does_not_stop_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    with noise_to(Path("/dev/full"), also_show=False) as out:
        for _ in range(100):
            os.write(1, b"noise" * 1000 + b"\n")
        out.write("goes on")
    assert capfd.readouterr().out == "goes on"


def test_the_log_of_a_killed_process_can_be_waited_for(tmp_path: Path) -> None:
    """The log is locked while another process may still write to it."""
    log = tmp_path / "log.txt"
    program = (
        "import os, sys; from pathlib import Path; from efficientmixnet.pipeline.local.quiet import noise_to\n"
        "with noise_to(Path(sys.argv[1]), False):\n"
        "    os.write(1, b'line\\n' * 200_000 + b'last words'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(log)], check=False)  # noqa: S603
    wait_until_complete(log)
    assert log.read_text().endswith("last words")
    wait_until_complete(tmp_path / "none")
