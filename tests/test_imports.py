"""Imports go one way, and what answers at once imports nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
# Each may import itself and those before it.
FOLDERS = ("modules", "components", "pipeline", "kubeflow")
NETWORK_LIBRARY = ("modules/network", "modules/layers", "modules/optimizers")


def _files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (REPOSITORY / folder).rglob("*.py"))


def _imported(tree: ast.AST) -> Iterator[str]:
    """The dotted name of every module imported below this node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported_at_once(statements: list[ast.stmt]) -> Iterator[str]:
    """What importing the file imports: nothing in functions, nothing behind a question about the backend."""
    for statement in statements:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from _imported(statement)
        elif isinstance(statement, ast.If) and any(
            word in ast.unparse(statement.test) for word in ("backend", "TYPE_CHECKING")
        ):
            yield from _imported_at_once(statement.orelse)
        elif isinstance(statement, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            for inner in ("body", "orelse", "handlers", "finalbody"):
                yield from _imported_at_once(getattr(statement, inner, []))
        elif isinstance(statement, ast.ExceptHandler):
            yield from _imported_at_once(statement.body)


@pytest.mark.parametrize("file", _files(*FOLDERS), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_imports_go_one_way(file: Path) -> None:
    own = FOLDERS.index(file.relative_to(REPOSITORY).parts[0])
    for name in _imported(ast.parse(file.read_text(encoding="utf-8"))):
        first, *rest = name.split(".")
        assert first not in ("modules", "components", "pipeline"), f"{name}: makes second copies of registered classes"
        if first == "efficientmixnet":
            assert FOLDERS.index(rest[0]) <= own, f"{name}: against the direction kubeflow -> pipeline -> modules"


@pytest.mark.parametrize("file", _files(*NETWORK_LIBRARY), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_the_network_library_imports_keras_and_numpy_alone(file: Path) -> None:
    allowed = {"keras", "numpy", *sys.stdlib_module_names}
    inside = tuple(f"efficientmixnet.{folder.replace('/', '.')}." for folder in NETWORK_LIBRARY)
    for name in _imported_at_once(ast.parse(file.read_text(encoding="utf-8")).body):
        assert name.split(".")[0] in allowed or name.startswith((*inside, "efficientmixnet.modules.lazy_names")), name


def test_what_a_mistake_in_the_configuration_touches_imports_neither_tensorflow_nor_keras_nor_tfx() -> None:
    code = """
import sys
import efficientmixnet.components.image_example_gen.sources
import efficientmixnet.pipeline.cli
import efficientmixnet.pipeline.config.config
import efficientmixnet.pipeline.config.config_template
print(*sorted({"tensorflow", "keras", "tfx", "apache_beam", "jax", "torch"} & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert found.stdout.split() == []
