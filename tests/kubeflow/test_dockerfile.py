"""The Dockerfile passes hadolint, does not run as root, and installs what the locks contain."""

import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = REPOSITORY / "kubeflow" / "Dockerfile"
DOCS = REPOSITORY / "docs" / "kubeflow.md"

# What tensorflow[and-cuda] 2.21 asks for at least, by its metadata: what it is built with.
CUDA = {
    "nvidia-cublas-cu12": "12.5.3.2",
    "nvidia-cuda-cupti-cu12": "12.5.82",
    "nvidia-cuda-nvcc-cu12": "12.5.82",
    "nvidia-cuda-nvrtc-cu12": "12.5.82",
    "nvidia-cuda-runtime-cu12": "12.5.82",
    "nvidia-cudnn-cu12": "9.3.0.75",
    "nvidia-cufft-cu12": "11.2.3.61",
    "nvidia-curand-cu12": "10.3.6.82",
    "nvidia-cusolver-cu12": "11.6.3.83",
    "nvidia-cusparse-cu12": "12.5.1.3",
    "nvidia-nccl-cu12": "2.27.7",
    "nvidia-nvjitlink-cu12": "12.5.82",
}


def locked(file: Path, python: str) -> dict[str, str]:
    """The versions that a lock has for this Python."""
    lines = re.findall(r"^[a-z].*?(?= \\)", file.read_text(), re.MULTILINE)
    wanted = [
        one for one in map(Requirement, lines) if not one.marker or one.marker.evaluate({"python_full_version": python})
    ]
    return {one.name: str(one.specifier).removeprefix("==") for one in wanted}


def minor(full: str) -> str:
    return ".".join(full.split(".")[:2])


def python() -> str:
    """The one Python that the Dockerfile installs."""
    [found] = set(re.findall(r"python3(?:-dev)?=(\S+)\.\*", DOCKERFILE.read_text()))
    return found


def test_hadolint_finds_no_problems() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)  # noqa: S603
    assert found.stdout == ""
    assert found.returncode == 0


def test_all_copied_files_exist_and_are_not_ignored() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    kept = {line[1:] for line in DOCKERFILE.with_suffix(".dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert {name.split("/")[0] for name in copied} == kept
    assert all((REPOSITORY / name).exists() for name in copied)


def test_the_last_user_is_a_number_and_not_root() -> None:
    users = [line.split()[1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("USER")]
    assert users == ["10001"]


def test_the_environment_is_built_on_the_base_and_python_that_it_runs_on() -> None:
    text = DOCKERFILE.read_text()
    bases = re.findall(r"^FROM docker\.io/(\S+)", text, re.MULTILINE)
    assert bases == ["library/debian:trixie-slim"] * 2
    assert set(re.findall(r"lib/python([\d.]+)/", text)) == {python()}


def test_uv_is_that_of_make() -> None:
    [wanted] = re.findall(r"^UV_VERSION=(\S+)", (REPOSITORY / "tools" / "set_up.sh").read_text(), re.MULTILINE)
    assert re.findall(r"^FROM ghcr\.io/astral-sh/uv:(\S+)", DOCKERFILE.read_text(), re.MULTILINE) == [wanted]


def test_its_python_takes_the_newer_stack_of_the_lock() -> None:
    newer = locked(REPOSITORY / "requirements.lock", f"{python()}.0")
    assert minor(newer["tfx"]) == "1.21"
    assert locked(DOCKERFILE.with_name("cpu.lock"), f"{python()}.0") == {"tensorflow-cpu": newer["tensorflow"]}
    for text in (DOCKERFILE.read_text(), DOCS.read_text()):
        assert set(re.findall(r"TensorFlow (\d+\.\d+)", text)) == {minor(newer["tensorflow"])}


def test_cuda_is_what_tensorflow_is_built_with() -> None:
    assert locked(DOCKERFILE.with_name("gpu.lock"), f"{python()}.0") == CUDA
    for text in (DOCKERFILE.read_text(), DOCS.read_text()):
        assert set(re.findall(r"CUDA (\d+\.\d+)", text)) == {minor(CUDA["nvidia-cuda-runtime-cu12"])}
        assert set(re.findall(r"cuDNN (\d+\.\d+)", text)) == {minor(CUDA["nvidia-cudnn-cu12"])}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="has the older TensorFlow")
def test_these_are_the_oldest_that_tensorflows_metadata_names() -> None:
    assert version("tensorflow") == locked(REPOSITORY / "requirements.lock", f"{python()}.0")["tensorflow"]
    named = [Requirement(line) for line in requires("tensorflow") or [] if "and-cuda" in line]
    oldest = {one.name: bound.version for one in named for bound in one.specifier if bound.operator == ">="}
    assert oldest == CUDA


def test_the_docs_name_its_base_and_python() -> None:
    assert f"Debian 13 with its own Python {python()}" in DOCS.read_text()


def test_the_labels_are_those_of_oci() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]*)"', DOCKERFILE.read_text()))
    assert {"title", "description", "licenses", "version", "revision", "created", "base.name"} == set(labels)
    assert labels["base.name"] == "docker.io/library/debian:trixie-slim"
    arguments = re.findall(r"^ARG (\w+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert {"VERSION", "REVISION", "CREATED", "VARIANT"} <= set(arguments)
    made = re.findall(r"--build-arg (\w+)=", (REPOSITORY / "Makefile").read_text())
    assert {"REVISION", "CREATED", "VARIANT"} == set(made)
