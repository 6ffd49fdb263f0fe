"""The component Trainer in a real cluster: many pods train one model, whatever happens to them."""

from collections.abc import Callable
from typing import Any

import pytest

WEIGHTS = """
import json, sys, tempfile
import numpy as np
from efficientmixnet.kubeflow import object_store
folder = tempfile.mkdtemp()
loaded = []
for number, place in enumerate(sys.argv[1:]):
    object_store.download(place, f"{folder}/{number}.npz")
    with np.load(f"{folder}/{number}.npz") as content:
        loaded.append([content[name] for name in content.files])
assert len(loaded[0]) > 5 and all(np.isfinite(one).all() for one in loaded[0])
print(json.dumps([max(float(abs(a - b).max()) for a, b in zip(loaded[0], one)) for one in loaded[1:]]))
"""
FILES = """
import json, sys
from efficientmixnet.kubeflow import object_store
print(json.dumps([file.name for file in object_store.files(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def undisturbed(trainer: Any) -> Any:
    """A training of two workers that nothing happened to."""
    component = trainer.start("run_functions.train_and_keep_weights")
    assert component.pod.wait() == 0, component.pod.log
    return component


def test_two_workers_end_with_the_same_weights(undisturbed: Any, python: Callable[..., Any]) -> None:
    weights = f"minio://mlpipeline/weights/{undisturbed.job()}"
    assert python(WEIGHTS, f"{weights}/0.npz", f"{weights}/1.npz") == [0.0]


def test_the_model_lies_at_the_components_own_place_once(undisturbed: Any, python: Callable[..., Any]) -> None:
    files = python(FILES, undisturbed.folder)
    assert [name for name in files if name.endswith("saved_model.pb")] == ["model/Format-Serving/saved_model.pb"]
    assert any(name.startswith("model_run/") and "events.out.tfevents" in name for name in files)
