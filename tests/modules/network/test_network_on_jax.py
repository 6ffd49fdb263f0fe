"""The network on Keras's JAX backend, which is chosen at import: so in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_network_holds_on_jax():
    pytest.importorskip("jax")
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    script = Path(__file__).parent / "network_on_jax.py"
    run = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)  # noqa: S603
    assert run.returncode == 0, run.stderr
