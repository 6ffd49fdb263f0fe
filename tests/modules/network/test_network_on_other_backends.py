"""The network on the other Keras backends, each in its own process, because a backend is chosen at import."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "network_on_another_backend.py"


def run_on(backend: str, *arguments: str) -> None:
    pytest.importorskip(backend)
    environment = os.environ | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True)  # noqa: S603
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a model, what it gives on this backend, and what it gives after a step of training."""
    folder = tmp_path_factory.mktemp("here")
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    sys.path.remove(str(SCRIPT.parent))
    model = script.tiny()
    model.save(folder / "tiny.keras")
    outputs = keras.ops.convert_to_numpy(model(script.IMAGE))
    trained = script.trained_outputs(model)
    assert np.abs(trained - outputs).max() > 1e-2 * np.abs(outputs).max()
    np.savez(folder / "expected.npz", outputs=outputs, trained=trained)
    return folder


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_predicts_and_learns_the_same(here, backend):
    run_on(backend, str(here))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_logits_equal_timms_on_every_backend(backend):
    run_on(backend)
