"""What all tests share: before any imports TensorFlow, no greetings and no search for GPUs; and one browser."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The Chromium of chromium.py; whoever asks for it is skipped where there is none."""
    spec = importlib.util.spec_from_file_location("chromium", Path(__file__).with_name("chromium.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not module.PROGRAM:
        pytest.skip("no Chromium is installed")
    browser = module.Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
