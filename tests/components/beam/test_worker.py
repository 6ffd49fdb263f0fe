"""Worker processes list files in order, and end with the process that started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_PIPELINE = """
import os, sys, time
from pathlib import Path
import apache_beam as beam
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS, BeamConfig

folder, seconds = sys.argv[1], float(sys.argv[2])

def work(_):
    import apache_beam.io.localfilesystem as local
    from apache_beam.runners.worker import statesampler
    modules = local.LocalFileSystem._list.__module__, statesampler.StateSampler.__module__
    Path(folder, str(os.getpid())).write_text(" ".join(modules))
    time.sleep(seconds)

with beam.Pipeline(argv=[*IN_PROCESS, *BeamConfig(workers=2).args_of_transform(0)]) as pipeline:
    _ = pipeline | beam.Create(range(100)) | beam.Reshuffle() | beam.Map(work)
"""

pytestmark = pytest.mark.slow


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def _start(folder: Path, seconds: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _PIPELINE, str(folder), str(seconds)])  # noqa: S603


def test_workers_list_files_in_order_and_end_stages_soon(tmp_path: Path) -> None:
    assert _start(tmp_path, seconds=0).wait() == 0
    package = "efficientmixnet.components.beam"
    assert {file.read_text() for file in tmp_path.iterdir()} == {f"{package}.sorted_files {package}.quick_stages"}


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    parent = _start(tmp_path, seconds=600)
    try:
        assert _wait(lambda: len(os.listdir(tmp_path)) == 2, 120), "the workers do not start"
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    workers = [int(name) for name in os.listdir(tmp_path)]
    assert _wait(lambda: not any(map(_alive, workers)), 5)
