"""main: the command `efficientmixnet`. It runs in a child process, so that even a killed command ends with a line.

When memory is full, the kernel kills the process, or a C++ library aborts it. Neither lets Python print a message. This
process waits for the child, forwards signals to it, and says how it ended.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.missing_package import missing_package
from efficientmixnet.pipeline.stop_signals import EXIT_INTERRUPTED, SAME_SIGNAL, SIGNALS
from efficientmixnet.pipeline.whereabouts import note, note_to, read_notes

_GRACE = 5.0  # seconds that the command has to end after a second signal
_FROM_KERNEL = 128  # si_code of a signal from the terminal, which the child gets too
_PR_SET_PDEATHSIG = 1
_AGAIN = "run the command again to continue"
_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}  # in the order of their descriptors


def main() -> None:
    """Runs the command, and ends with its exit code."""
    _replace_closed_streams()
    waited = {*SIGNALS, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    killed, parent = _killed_by_kernel(), os.getpid()
    source, sink = os.pipe()
    child = os.fork()
    if child:
        os.close(sink)
        code, hung = _wait(child, waited)
        if code < 0:
            code = _explain(-code, hung, read_notes(source), kernel_kills=not killed or _killed_by_kernel() != killed)
        os._exit(code)
    _end_with(parent)
    os.close(source)
    note_to(sink)
    note(place=next((word for word in sys.argv[1:] if not word.startswith("-")), ""))
    try:
        from efficientmixnet.pipeline.cli import main as command
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error)}", file=sys.stderr)
        sys.exit(1)
    # Until the command is ready, Ctrl-C ends this process without a traceback, as SIGTERM does.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        command()
    except SystemExit as ended:
        if ended.code == EXIT_INTERRUPTED:  # without waiting for the threads of libraries
            sys.stdout.flush()
            os._exit(EXIT_INTERRUPTED)
        raise


def _replace_closed_streams() -> None:
    """Opens /dev/null for each standard stream that is closed. Another file would get its descriptor."""
    for descriptor, (name, mode) in enumerate(_STREAMS.items()):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # The lowest free descriptor is this one.
            setattr(sys, name, open(descriptor, mode, errors="backslashreplace", closefd=False))  # noqa: SIM115


def _wait(child: int, waited: set[signal.Signals]) -> tuple[int, bool]:
    """Returns the child's exit code, negative for a signal, and whether it was ended because it hung."""
    first = deadline = None
    while True:
        now = time.monotonic()
        got = signal.sigtimedwait(waited, max(0.0, deadline - now)) if deadline else signal.sigwaitinfo(waited)
        if got is None:
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), True
        if got.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status), False
            continue
        now = time.monotonic()
        first = first or now
        if now - first >= SAME_SIGNAL:
            deadline = deadline or now + _GRACE
        if got.si_code != _FROM_KERNEL:
            os.kill(child, got.si_signo)


def _end_with(parent: int) -> None:
    """Makes the kernel kill this process when its parent is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _explain(number: int, hung: bool, facts: Mapping[str, str], kernel_kills: bool) -> int:
    """Prints why a signal ended the child, and writes it to the summary of its run. Returns the exit code."""
    from efficientmixnet.pipeline.terminal import echo_error

    if hung or number in SIGNALS:
        echo_error(f"interrupted: {'ended at once after a second signal; ' if hung else ''}{_AGAIN}", color="yellow")
        _write_summary(facts, "interrupted", "interrupted")
        return EXIT_INTERRUPTED
    reason = _reason(number, facts.get("place", ""), Path(facts["log"]) if "log" in facts else None, kernel_kills)
    echo_error(f"error: {reason}")
    _write_summary(facts, "failed", reason)
    return 1


def _reason(number: int, place: str, log: Path | None, kernel_kills: bool) -> str:
    from efficientmixnet.modules.failures.out_of_memory import log_says_out_of_memory, memory_is_limited
    from efficientmixnet.pipeline.local.masked_log import wait_until_complete
    from efficientmixnet.pipeline.memory_advice import out_of_memory

    if log is not None:
        wait_until_complete(log)
    aborted = memory_is_limited() or (log is not None and log_says_out_of_memory(log))
    if kernel_kills if number == signal.SIGKILL else aborted:
        return str(out_of_memory(place))
    return f"signal {number} ended the process in {place}; {_AGAIN}" + (f", or see {log}" if log else "")


def _write_summary(facts: Mapping[str, str], state: Any, reason: str) -> None:
    from efficientmixnet.pipeline.runs.runs import read_summary

    with suppress(OSError, BadInput, KeyError):  # no run, or a full disk
        folder, output = Path(facts["run"]), Path(facts["output"])
        summary = read_summary(str(folder))
        if summary.state == "running":
            summary.state, summary.reason = state, reason
            summary.write(folder, output)


def _killed_by_kernel() -> str:
    """The kernel's count of processes that it has killed for lack of memory; an empty text if it does not tell."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("oom_kill ")), "")
