"""On the device, the GPU study trains as Keras does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_run_equals_keras_alone_and_together_with_others(scripts: Path) -> None:
    pytest.importorskip("jax")
    done = subprocess.run(  # noqa: S603
        [sys.executable, Path(__file__).with_name("train_on_device.py")],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["equal"]
