"""The Dockerfile passes hadolint, copies existing files, and ends as a user without rights."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = REPOSITORY / "kubeflow" / "Dockerfile"


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
    assert set(copied) == kept
    assert all((REPOSITORY / name).exists() for name in copied)


def test_the_last_user_is_a_number_and_not_root() -> None:
    users = [line.split()[1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("USER")]
    assert users == ["10001"]
