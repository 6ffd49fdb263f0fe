"""choose_python.sh: which Python and TFX a machine gets, by its glibc and what is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "choose_python.sh"
PROGRAMS = ("sh", "sed", "sort", "head", "ls", "env")


class Machine:
    """A PATH with nothing on it but a few programs, a C library of one version and some fake Pythons."""

    def __init__(self, folder: Path, glibc: str) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.path.mkdir()
        for name in PROGRAMS:
            (self.path / name).symlink_to(str(shutil.which(name)))
        self.program(self.path / "getconf", f"echo {glibc}" if glibc else "exit 1")
        self.program(self.path / "c++", "exit 0")

    def program(self, file: Path, script: str) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    def python(self, version: str, file: Path | None = None) -> str:
        """A Python that says it has this version."""
        return str(self.program(file or self.path / f"python{version}", f"echo {version}"))

    def choose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [str(self.path / "sh"), str(SCRIPT), *arguments],
            cwd=self.folder,
            env={"PATH": str(self.path), "HOME": str(self.folder / "a home")},
            capture_output=True,
            text=True,
        )


@pytest.fixture
def newer(tmp_path: Path) -> Machine:
    return Machine(tmp_path, "glibc 2.41")


@pytest.fixture
def older(tmp_path: Path) -> Machine:
    return Machine(tmp_path, "glibc 2.36")


def test_the_newest_python_is_chosen_where_glibc_is_new(newer: Machine) -> None:
    newer.python("3.10")
    newer.python("3.11")
    expected = newer.python("3.12")
    chosen = newer.choose()
    assert chosen.stdout == f"{expected}\n"
    assert chosen.stderr == "Python 3.12 with TFX 1.21 (glibc 2.41 is 2.38 or newer)\n"


def test_python_310_is_chosen_where_glibc_is_old(older: Machine) -> None:
    older.python("3.11")  # as Debian 12 has it
    expected = older.python("3.10")
    chosen = older.choose()
    assert chosen.stdout == f"{expected}\n"
    assert chosen.stderr == "Python 3.10 with TFX 1.16 (TFX 1.21 needs glibc 2.38 or newer; this system has 2.36)\n"


def test_glibc_238_itself_is_new_enough(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "glibc 2.38")
    machine.python("3.13")
    assert "Python 3.13 with TFX 1.21" in machine.choose().stderr


def test_a_system_without_glibc_takes_the_older_stack(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "")
    machine.python("3.13")
    assert "this system has no glibc" in machine.choose().stderr


def test_a_python_of_pyenv_is_found_behind_a_shim_that_fails(newer: Machine) -> None:
    newer.program(newer.path / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    older_patch = newer.folder / "a home/.pyenv/versions/3.13.2/bin/python"
    newer.python("3.13", older_patch)
    expected = newer.python("3.13", newer.folder / "a home/.pyenv/versions/3.13.11/bin/python")
    assert newer.choose().stdout == f"{expected}\n"


def test_a_python_that_uv_installed_is_found(newer: Machine) -> None:
    file = newer.folder / "a home/.local/share/uv/python/cpython-3.12.9-linux-x86_64-gnu/bin/python"
    assert newer.choose().returncode == 1
    newer.python("3.12", file)
    assert newer.choose().stdout == f"{file}\n"


def test_python3_is_taken_where_its_version_fits(newer: Machine) -> None:
    expected = newer.python("3.13", newer.path / "python3")
    assert newer.choose().stdout == f"{expected}\n"


def test_a_version_that_is_asked_for_is_taken(newer: Machine) -> None:
    newer.python("3.13")
    expected = newer.python("3.10")
    chosen = newer.choose("3.10")
    assert (chosen.stdout, chosen.stderr) == (f"{expected}\n", "Python 3.10 with TFX 1.16 (PYTHON_VERSION=3.10)\n")


def test_a_version_that_glibc_cannot_run_is_refused(older: Machine) -> None:
    older.python("3.12")
    refused = older.choose("3.12")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "Error: PYTHON_VERSION=3.12: TFX 1.21 needs glibc 2.38 or newer; this system has 2.36. Use Python 3.10 here.\n"
    )


@pytest.mark.parametrize("version", ["3.9", "3.14", "3", "newest", "3.12; echo"])
def test_an_unknown_version_is_refused(newer: Machine, version: str) -> None:
    refused = newer.choose(version)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: PYTHON_VERSION={version}: choose 3.13, 3.12, 3.11 or 3.10\n"


def test_without_a_python_one_line_says_what_to_install(newer: Machine) -> None:
    newer.python("3.10")
    refused = newer.choose()
    assert refused.returncode == 1
    assert refused.stderr == (
        "Error: no Python 3.13, 3.12 or 3.11 found (glibc 2.41 is 2.38 or newer). "
        "Install one: apt-get install python3 python3-venv python3-dev g++\n"
    )


def test_python_313_without_a_compiler_is_refused(newer: Machine) -> None:
    newer.python("3.13")
    (newer.path / "c++").unlink()
    refused = newer.choose()
    assert refused.returncode == 1
    assert "Python 3.13 needs a C++ compiler" in refused.stderr


def test_an_environment_keeps_its_python(newer: Machine) -> None:
    newer.python("3.13")
    expected = newer.python("3.12")
    newer.python("3.12", newer.folder / ".venv/bin/python")
    assert newer.choose().stdout == f"{expected}\n"
    assert "(.venv has it; PYTHON_VERSION=... chooses another)" in newer.choose().stderr
    assert "Python 3.13" in newer.choose("3.13").stderr


def test_an_environment_that_glibc_cannot_run_is_not_kept(older: Machine) -> None:
    older.python("3.12")
    older.python("3.12", older.folder / ".venv/bin/python")
    expected = older.python("3.10")
    assert older.choose().stdout == f"{expected}\n"
