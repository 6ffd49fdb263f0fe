"""The network on Keras's JAX backend, which is chosen at import: so in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "network_on_jax.py"


def run_on_jax(*arguments: str) -> None:
    pytest.importorskip("jax")
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True)  # noqa: S603
    assert run.returncode == 0, run.stderr


def test_both_backends_give_and_learn_the_same(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("network_on_jax", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    model = script.tiny()
    model.save(tmp_path / "tiny.keras")
    outputs = keras.ops.convert_to_numpy(model(script.PICTURE))
    trained = script.trained_outputs(model)
    assert np.abs(trained - outputs).max() > 1e-2 * np.abs(outputs).max()
    np.savez(tmp_path / "expected.npz", outputs=outputs, trained=trained)
    run_on_jax(str(tmp_path))


@pytest.mark.slow
def test_timms_logits_are_ours_on_jax_too():
    run_on_jax()
