"""Runs this folder's tests on Keras's JAX backend, which is chosen at import, so in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs the others on JAX")
def test_every_other_test_of_the_layers_passes_on_jax() -> None:
    pytest.importorskip("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(Path(__file__).parent)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert finished.returncode == 0, finished.stdout[-3000:]
