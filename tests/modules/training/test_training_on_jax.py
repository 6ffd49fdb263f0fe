"""The tests of callbacks and phases on JAX, in a process of their own, because a backend is chosen at import."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
QUICK = "exported or gates_of_an"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="this is that process")
@pytest.mark.parametrize("names", [QUICK, pytest.param(f"not ({QUICK})", marks=pytest.mark.slow)])
def test_callbacks_and_phases_pass_their_tests_on_jax(names: str) -> None:
    pytest.importorskip("jax")
    files = [str(HERE / f"test_{subject}.py") for subject in ("averaged_evaluation", "phases")]
    environment = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names, *files]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-3000:]
