"""Settings and fixtures for all tests: a quiet TensorFlow without GPUs, a browser and an object store."""

import importlib.util
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from efficientmixnet.modules import progress

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# On by default only on newer processors. Without oneDNN, TensorFlow cannot convolve channels_first on a CPU.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# JAX compiles every operation of a small network, which takes longer than to run them.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the number of skipped tests and the reasons."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[-1]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        counts = "; ".join(f"{count} because {reason}" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"Skipped {len(skipped)} tests: {counts}")


@pytest.fixture(autouse=True)
def _no_listener_stays() -> Iterator[None]:
    """Ends the progress that a test has left on. Its output may be closed when the next test writes."""
    yield
    progress.listen(None)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The browser of chromium.py. Tests that use it are skipped if none is installed."""
    module = _beside("chromium")
    if not module.PROGRAM:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    browser = module.Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def _shelf() -> ModuleType:
    return _beside("shelf")


@pytest.fixture
def shelf(_shelf: ModuleType) -> Iterator[dict[str, bytes]]:
    """The objects in the store of shelf.py by address. It is empty at the start of a test."""
    yield _shelf.STORE
    _shelf.STORE.clear()


def _beside(name: str) -> ModuleType:
    """Imports the module of this name in this folder."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
