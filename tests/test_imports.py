"""Tests of the imports: their direction, circles between folders, and what the command line loads."""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
# Each folder may import itself and the folders before it.
FOLDERS = ("modules", "components", "pipeline", "kubeflow")
# The same order for the folders of modules/.
MODULES = (
    *("text", "failures", "files", "optimizers", "layers", "network", "config", "checkpoint"),
    *("distribution", "data", "training", "search"),
)
NETWORK_LIBRARY = ("modules/network", "modules/layers", "modules/optimizers")


def _files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (REPOSITORY / folder).rglob("*.py"))


def _imported(tree: ast.AST) -> Iterator[str]:
    """The dotted name of every module that is imported below this node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported_at_once(statements: list[ast.stmt]) -> Iterator[str]:
    """The imports of a file, except those in functions and those for one backend or for type checking."""
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
        assert first not in ("modules", "components", "pipeline"), f"{name}: creates second copies of Keras classes"
        if first == "efficientmixnet":
            assert FOLDERS.index(rest[0]) <= own, f"{name}: only kubeflow -> pipeline -> components -> modules"


def _room(name: str) -> str | None:
    """The room of a dotted name, such as modules/data or modules/trainer.py."""
    package, *names = name.split(".")
    if package != "efficientmixnet" or len(names) < 2:
        return None
    room = "/".join(names[:2])
    return room if (REPOSITORY / room).is_dir() else f"{room}.py"


@pytest.fixture(scope="module")
def rooms() -> dict[str, set[str]]:
    """By room, the rooms that it imports. A room is a folder or a file in one of FOLDERS."""
    found: dict[str, set[str]] = {}
    for file in _files(*FOLDERS):
        room = "/".join(file.relative_to(REPOSITORY).parts[:2])
        imported = map(_room, _imported(ast.parse(file.read_text(encoding="utf-8"))))
        found.setdefault(room, set()).update(other for other in imported if other and other != room)
    assert {"modules/layers", "modules/lazy_names.py"} <= found["modules/network"]
    return found


def test_no_rooms_import_each_other_in_a_circle(rooms: dict[str, set[str]]) -> None:
    try:
        graphlib.TopologicalSorter(rooms).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_the_folders_of_modules_import_in_one_order(rooms: dict[str, set[str]]) -> None:
    order = [f"modules/{name}" for name in MODULES]
    assert set(order) == {room for room in rooms if room.startswith("modules/") and not room.endswith(".py")}
    for number, folder in enumerate(order):
        assert rooms[folder].isdisjoint(order[number:]), folder


@pytest.mark.parametrize("file", _files(*NETWORK_LIBRARY), ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_the_network_library_imports_only_keras_and_numpy(file: Path) -> None:
    allowed = {"keras", "numpy", *sys.stdlib_module_names}
    inside = tuple(f"efficientmixnet.{folder.replace('/', '.')}." for folder in NETWORK_LIBRARY)
    for name in _imported_at_once(ast.parse(file.read_text(encoding="utf-8")).body):
        assert name.split(".")[0] in allowed or name.startswith((*inside, "efficientmixnet.modules.lazy_names")), name


def test_checking_a_configuration_imports_neither_tensorflow_nor_keras_nor_tfx() -> None:
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
