"""Text from outside takes one way to the terminal, to pages and to CSV files, where it cannot have an effect."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FOLDERS = ("modules", "components", "pipeline", "kubeflow")
# By what would let text through as it is, the only files that may use it.
ONLY_IN = {
    "rich.console.Console": {"pipeline/terminal.py"},
    "rich.markup": set(),
    "click.echo": set(),
    "click.secho": {"pipeline/terminal.py"},
    "csv.writer": {"modules/files/csv_cells.py"},
    "csv.DictWriter": set(),
    "jinja2.Environment": {"components/report/html_page.py", "components/report/model_card.py"},
}


def _names(tree: ast.AST) -> set[str]:
    """The dotted names that a file imports or takes from a module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


@pytest.mark.parametrize("name", ONLY_IN)
def test_only_one_file_writes_text_as_it_is(name: str) -> None:
    files = (file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py"))
    users = {file.relative_to(REPOSITORY).as_posix() for file in files if name in _names(ast.parse(file.read_text()))}
    assert users == ONLY_IN[name]
