"""The revision of the code that runs, where it runs from a git checkout."""

import shutil
import subprocess
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def revision() -> str | None:
    """The commit, with -dirty where files differ from it; None for installed code, or without git."""
    git = shutil.which("git")
    if not git or not (_HERE.parent / ".git").exists():
        return None
    command = [git, "-C", str(_HERE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None
