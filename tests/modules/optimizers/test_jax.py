"""The tests beside this one, on Keras's JAX backend: the backend is chosen at import, so in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
QUICK = "equals_pytorch or first_rectified or plain_loop or inner_optimizer_to_the_bit or overflowed or resumed"


@pytest.mark.skipif(os.environ.get("KERAS_BACKEND") == "jax", reason="this is that process")
@pytest.mark.parametrize("names", [QUICK, pytest.param("not jax", marks=pytest.mark.slow)], ids=["quick", "all"])
def test_everything_holds_on_jax(names: str) -> None:
    pytest.importorskip("jax")
    subjects = ("rectified_adam", "lookahead", "lookahead_in_training", "ranger", "muon", "resuming")
    files = [HERE / f"test_{subject}.py" for subject in subjects]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", names, *map(str, files)],
        env={**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
