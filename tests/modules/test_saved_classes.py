"""Saved models load in a fresh process after any import of the library."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from efficientmixnet.modules import EfficientNetBuilder, Lookahead, RectifiedAdam
from efficientmixnet.modules.optimizers.schedules import Cosine, WarmUp
from efficientmixnet.modules.saved_classes import SAVED_CLASSES

MODULES = Path(__file__).parents[2] / "modules"

_LOAD = """
import sys
for name in sys.argv[2:]:
    __import__(name)
backends = {"tensorflow", "jax", "torch"} & set(sys.modules)
import keras
model = keras.models.load_model(sys.argv[1])
print(sorted(backends), type(model.optimizer).__name__, model.count_params())
"""


def _registered(file: Path) -> list[str]:
    classes = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef))
    return [one.name for one in classes if any("register_keras" in ast.unparse(each) for each in one.decorator_list)]


def test_every_registered_class_is_listed_with_its_file() -> None:
    files = {file: ".".join(file.relative_to(MODULES).with_suffix("").parts) for file in MODULES.rglob("*.py")}
    assert {name: module for file, module in files.items() for name in _registered(file)} == SAVED_CLASSES


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    """The file of a compiled model with our layers, initializers, optimizers and schedules; its parameters."""
    builder = EfficientNetBuilder(input_shape=(16, 16, 3), classes=2, norm="an", activation="mish", mixed=True)
    model = builder.custom_model(["r2_k3.5_s11_e4_i8_o8_se0.25"], stem_filters=8, head_filters=16)
    model.compile(Lookahead(RectifiedAdam(WarmUp(Cosine(0.01, 10), 2))), keras.losses.CategoricalCrossentropy())
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return str(path), model.count_params()


@pytest.mark.parametrize(
    "imported",
    [
        ["efficientmixnet.modules"],
        ["efficientmixnet.modules.network"],
        ["efficientmixnet.modules.layers"],
        ["keras", "efficientmixnet.modules"],
    ],
    ids=" ".join,
)
def test_a_saved_model_loads_in_a_fresh_process(saved: tuple[str, int], imported: list[str]) -> None:
    file, parameters = saved
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _LOAD, file, *imported],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    backends = "['jax']" if "keras" in imported else "[]"
    assert done.stdout.strip() == f"{backends} Lookahead {parameters}", done.stderr


_ASK_FIRST = """
import importlib.util, sys
import efficientmixnet.modules
for _ in range(2):
    assert importlib.util.find_spec("keras").loader.get_filename().endswith("__init__.py")
sys.modules["jax"] = None  # fails while Keras is imported, and is there at the second try
try:
    import keras
except ImportError:
    del sys.modules["jax"]
import keras
print(keras.saving.get_registered_object("efficientmixnet>Mish").__name__)
print([finder for finder in sys.meta_path if "efficientmixnet" in type(finder).__module__])
"""


def test_classes_are_registered_after_someone_asked_where_keras_is_and_an_import_failed() -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _ASK_FIRST],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["Mish", "[]"], done.stderr
