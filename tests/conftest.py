"""What all tests share: before any imports TensorFlow, no greetings and no search for GPUs; one browser, one store."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The Chromium of chromium.py; whoever asks for it is skipped where there is none."""
    module = _beside("chromium")
    if not module.PROGRAM:
        pytest.skip("no Chromium is installed")
    browser = module.Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def _shelf() -> ModuleType:
    return _beside("shelf")


@pytest.fixture
def shelf(_shelf: ModuleType) -> Iterator[dict[str, bytes]]:
    """The objects of shelf.py's store by their address; empty at first."""
    yield _shelf.STORE
    _shelf.STORE.clear()


def _beside(name: str) -> ModuleType:
    """The module of this name beside this file."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
