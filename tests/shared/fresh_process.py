"""output_of: what a program prints in a Python process of its own, which uses TensorFlow."""

import os
import subprocess
import sys


def output_of(program: str) -> str:
    """Runs the program. If it fails, so does the test."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
