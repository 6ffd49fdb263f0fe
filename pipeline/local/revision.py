"""The revision of the code, if it runs from a git checkout, a digest of it, and the versions of its packages."""

import hashlib
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGES = ("efficientmixnet", "tfx", "tensorflow", "keras", "apache-beam", "tensorflow-model-analysis")


def revision() -> str | None:
    """Returns the commit, with -dirty if files were changed. None for installed code or without git."""
    git = shutil.which("git")
    if not git or not (_PROJECT / ".git").exists():
        return None
    command = [git, "-C", str(_PROJECT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None


def code_digest() -> str:
    """Returns a digest of the source files of this project."""
    digest = hashlib.sha256()
    for folder in ("modules", "components", "pipeline"):
        for file in sorted((_PROJECT / folder).rglob("*.py")):
            digest.update(f"{file.relative_to(_PROJECT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that affect a result."""
    return {"python": sys.version.split()[0], **{package: _version(package) for package in _PACKAGES}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return metadata.version(f"{package}-cpu")  # TensorFlow in the container image for CPUs
