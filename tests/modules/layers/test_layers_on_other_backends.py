"""Runs this folder's tests on Keras's other backends, which are chosen at import, so in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

# There our batch normalization is Keras's own, and ../network trains a whole network.
AT_LENGTH = "test_batch_normalization or as_kerass or test_layers_together"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="runs the others elsewhere")
@pytest.mark.parametrize(
    ("backend", "chosen"),
    [
        ("jax", f"not ({AT_LENGTH})"),
        pytest.param("jax", AT_LENGTH, marks=pytest.mark.slow),
        ("torch", f"not ({AT_LENGTH})"),
    ],
)
def test_all_layer_tests_pass_on_other_backends(backend: str, chosen: str) -> None:
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", chosen, folder]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert finished.returncode == 0, finished.stdout[-3000:]
