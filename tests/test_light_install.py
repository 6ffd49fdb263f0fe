"""Tests of the wheel without extras: the network library needs only Keras, NumPy and a backend."""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "modules", "components", "pipeline", "kubeflow")

BUILD = """
import importlib.util
assert importlib.util.find_spec("tensorflow") is None
import efficientmixnet, keras, numpy
from efficientmixnet.modules import EfficientNetBuilder
assert efficientmixnet.__version__ == "0.1.0"
assert keras.backend.backend() == "jax"
builder = EfficientNetBuilder((32, 32, 3), mixed=True, norm="an", activation="mish", classes=3)
blocks = ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3.5_s22_e2_i8_o16_se0.25"]
model = builder.custom_model(blocks, stem_filters=8, head_filters=32)
image = numpy.linspace(0, 1, 32 * 32 * 3, dtype="float32").reshape(1, 32, 32, 3)
model.save("model.keras")
numpy.savez("expected.npz", image=image, output=model(image))
"""
LOAD = """
import efficientmixnet, keras, numpy
known = numpy.load("expected.npz")
output = keras.saving.load_model("model.keras")(known["image"])
numpy.testing.assert_allclose(output, known["output"], rtol=1e-5)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this project, built from a copy."""
    copy, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    code = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)  # noqa: S603
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, Keras, NumPy, JAX and what these need."""
    folder = tmp_path_factory.mktemp("packages")
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    for name in _with_dependencies("keras", "numpy", "jax", "jaxlib"):
        for file in metadata.files(name) or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(metadata.distribution(name).locate_file(top))))
    return folder


def _with_dependencies(*names: str) -> set[str]:
    found: set[str] = set()
    pending = [_normal(name) for name in names]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or ())
            pending += [_normal(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def _python(environment: Path, code: str, folder: Path, backend: str = "jax") -> subprocess.CompletedProcess[str]:
    """Runs code with only the packages of the environment: -S leaves out those of the tests."""
    settings = {**os.environ, "PYTHONPATH": str(environment), "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)  # noqa: S603


def _requirements(wheel: Path, extra: str) -> set[str]:
    """The names that the wheel requires with an extra, and those that it always requires."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    lines = map(Requirement, re.findall(r"^Requires-Dist: (.*)$", text, re.MULTILINE))
    return {_normal(one.name) for one in lines if not one.marker or one.marker.evaluate({"extra": extra})}


def test_the_wheel_requires_only_keras_and_numpy(wheel: Path) -> None:
    assert _requirements(wheel, "") == {"keras", "numpy"}


def test_each_extra_brings_its_packages(wheel: Path) -> None:
    assert {"tfx", "click", "pydantic", "pillow", "kfp"} <= _requirements(wheel, "pipeline")
    assert {"efficientmixnet", "kubernetes"} <= _requirements(wheel, "kubeflow")
    assert "tensorflow" in _requirements(wheel, "export")
    assert "jax" in _requirements(wheel, "jax")


@pytest.mark.slow
def test_a_model_is_built_saved_and_loaded_on_jax_without_tensorflow(environment: Path, tmp_path: Path) -> None:
    for code in (BUILD, LOAD):
        done = _python(environment, code, tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_one_line_with_the_command_that_brings_it(environment: Path, tmp_path: Path) -> None:
    command = "import sys; sys.argv = ['efficientmixnet', 'run']; "
    command += "from efficientmixnet.pipeline.supervisor import main; main()"
    done = _python(environment, command, tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: click is not installed; run pip install 'efficientmixnet[pipeline]'\n"
    done = _python(environment, "import efficientmixnet; efficientmixnet.run(images='photos')", tmp_path)
    assert done.stderr.splitlines()[-1].endswith(" is not installed; run pip install 'efficientmixnet[pipeline]'")


def test_a_missing_backend_is_named_with_the_command_that_brings_one(environment: Path, tmp_path: Path) -> None:
    code = "from efficientmixnet.modules import EfficientNetBuilder"
    done = _python(environment, code, tmp_path, backend="tensorflow")
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: Keras needs tensorflow, which is not installed; run pip install 'efficientmixnet[jax]' "
        "and set KERAS_BACKEND=jax, or run pip install 'efficientmixnet[export]' for TensorFlow"
    )
