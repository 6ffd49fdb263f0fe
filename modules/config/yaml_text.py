"""parse_yaml: reads a user's YAML strictly. A mistake is named with its line."""

import re
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from efficientmixnet.modules.exceptions import BadInput

_MOST_BYTES = 10_000_000
_DEEPEST = 100  # levels
_LONGEST_KEY = 200  # characters
_MOST_NODES = 1_000_000  # each alias counts as the value that it refers to
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge"))
_WORDS = {f"{_TAG}int": "a whole number", f"{_TAG}float": "a number", f"{_TAG}bool": "true or false"}
# YAML's reader refuses them too, but not in the form of escapes such as "\0".
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class YamlMistake(ValueError):
    """The text cannot be used.

    Args:
        reason: What is wrong, as a sentence without its end.
        mark: The place in the text; None if it is unknown.
    """

    def __init__(self, reason: str, mark: yaml.Mark | None = None) -> None:
        self.reason, self.line = reason, mark.line + 1 if mark else None
        super().__init__(f"line {self.line}: {reason}" if mark else reason)


def read_yaml(file: Path, cure: str) -> list[Any]:
    """Returns the documents of a YAML file.

    Args:
        file: The file.
        cure: What to do if the file does not exist.

    Raises:
        BadInput: The file cannot be read, or is not valid. The message names the file and the line.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise BadInput(f"{file}: has more than {_MOST_BYTES // 10**6} MB; give another file")
        return parse_documents(content.decode("utf-8-sig"))
    except FileNotFoundError:
        raise BadInput(f"{file}: does not exist; {cure}") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror}; give a file that you can read") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: is not UTF-8 text; save it as UTF-8") from None
    except YamlMistake as mistake:
        where = f"{file}, line {mistake.line}" if mistake.line else str(file)
        raise BadInput(f"{where}: {mistake.reason}") from None


def parse_yaml(text: str) -> Any:
    """Returns the value of a text with one document.

    A date is text, because no key takes a date.

    Raises:
        YamlMistake: The text is not valid, a key is given twice, or a value is too large or too deep.

    Example:
        >>> parse_yaml("{epochs: 3, day: 2020-01-31}")
        {'epochs': 3, 'day': '2020-01-31'}
    """
    documents = parse_documents(text)
    if len(documents) > 1:
        raise YamlMistake("has several documents; remove all but one, and the line ---")
    return documents[0] if documents else None


def parse_documents(text: str) -> list[Any]:
    """Returns the values of all documents in a text.

    Raises:
        YamlMistake: As for `parse_yaml`.
    """
    try:
        loader = _Loader(text)
        documents = []
        while loader.check_data():
            documents.append(loader.get_data())
        return documents
    except yaml.reader.ReaderError as error:
        raise YamlMistake(f"the character {chr(error.character)!a} is not allowed") from None
    except yaml.MarkedYAMLError as error:
        reason = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise YamlMistake(f"is not valid YAML ({reason})", error.problem_mark or error.context_mark) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with a check of each document before any value is built."""

    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in rules if tag in _TAGS]
        for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._level += 1
        if self._level > _DEEPEST:
            raise _too_deep(self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._level -= 1
        return node

    def construct_document(self, node: yaml.Node) -> Any:
        self._names = _Check().names(node)
        return super().construct_document(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, YamlMistake):
            raise
        except Exception:  # each of PyYAML's constructors raises its own
            what = _WORDS.get(node.tag, "a valid value")
            name = self._names.get(id(node), "")
            raise YamlMistake(f"{_at(name)}{reprlib.repr(node.value)} is not {what}", node.start_mark) from None


class _Check:
    """Refuses what PyYAML accepts: keys given twice, other tags, too many values, and control characters."""

    def __init__(self) -> None:
        self._measured: dict[int, tuple[int, int] | None] = {}  # by node, None while the node is being measured
        self._names: dict[int, str] = {}

    def names(self, root: yaml.Node) -> dict[int, str]:
        """Returns the key of each node, such as training.epochs."""
        self._measure(root, "")
        return self._names

    def _measure(self, node: yaml.Node, name: str) -> tuple[int, int]:
        """Returns how many nodes and how many levels the node has."""
        if id(node) in self._measured:
            found = self._measured[id(node)]
            if found is None:
                raise YamlMistake(f"{_at(name)}an alias refers to a value that contains the alias", node.start_mark)
            return found
        self._measured[id(node)] = None
        self._names[id(node)] = name
        _check_node(node, name)
        inner = [self._measure(child, _joined(name, key)) for key, child in _children(node)]
        if isinstance(node, yaml.MappingNode):
            _check_keys(node, name)
        nodes, levels = 1 + sum(count for count, _ in inner), 1 + max((level for _, level in inner), default=0)
        if nodes > _MOST_NODES:
            raise YamlMistake(f"{_at(name)}has more than {_MOST_NODES:,} values; use fewer aliases", node.start_mark)
        if levels > _DEEPEST:
            raise _too_deep(node.start_mark)
        self._measured[id(node)] = nodes, levels
        return nodes, levels


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """Yields the values in the node with their keys, and the keys."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield "", key
            yield key.value, value
    elif isinstance(node, yaml.SequenceNode):
        yield from (("", child) for child in node.value)


def _check_node(node: yaml.Node, name: str) -> None:
    if node.tag not in _TAGS:
        tag = node.tag.replace(_TAG, "!!")
        raise YamlMistake(f"{_at(name)}the tag {tag!a} is not allowed; remove it", node.start_mark)
    if isinstance(node, yaml.ScalarNode) and (found := _NOT_TEXT.search(node.value)):
        raise YamlMistake(f"{_at(name)}the character {found[0]!a} is not allowed; remove it", node.start_mark)


def _check_keys(node: yaml.MappingNode, name: str) -> None:
    first: dict[Any, yaml.Mark] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or len(key.value) > _LONGEST_KEY:
            raise YamlMistake(f"{_at(name)}has a key that is not a short text", key.start_mark)
        before = first.setdefault((key.tag, key.value), key.start_mark)
        if before is not key.start_mark and key.tag != f"{_TAG}merge":
            lines = f"lines {before.line + 1} and {key.start_mark.line + 1}"
            raise YamlMistake(f"{_joined(name, key.value)} is given twice ({lines}); keep one", key.start_mark)


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name and key else name or key


def _at(name: str) -> str:
    return f"{name}: " if name else ""


def _too_deep(mark: yaml.Mark) -> YamlMistake:
    return YamlMistake(f"has more than {_DEEPEST} levels; remove brackets or indents", mark)
