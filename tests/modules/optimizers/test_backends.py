"""The optimizer tests on the other Keras backends, each in its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUBJECTS = (
    "rectified_adam",
    "lookahead",
    "lookahead_in_training",
    "ranger",
    "muon",
    "conv_muon",
    "resuming",
    "growing_average",
)
QUICK = (
    "equals_pytorch or first_rectified or plain_loop or inner_optimizer_to_the_bit or overflowed or resumed or grows"
)


@pytest.mark.skipif(os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow", reason="this is that process")
@pytest.mark.parametrize("names", [QUICK, pytest.param("test", marks=pytest.mark.slow)], ids=["quick", "all"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_all_optimizer_tests_pass_on_other_backends(backend: str, names: str) -> None:
    pytest.importorskip(backend)  # PyTorch is not among what we install: it takes gigabytes
    files = [HERE / f"test_{subject}.py" for subject in SUBJECTS]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names, *map(str, files)],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
