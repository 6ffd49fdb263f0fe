"""Tests of yaml_text: mistakes in a user's YAML, each with its line."""

from pathlib import Path

import pytest

from efficientmixnet.modules.config.yaml_text import YamlMistake, parse_yaml, read_yaml
from efficientmixnet.modules.exceptions import BadInput


def _bomb(levels: int) -> str:
    """YAML whose aliases stand for 10 ** levels values."""
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_values_are_those_of_yaml() -> None:
    text = "{count: 3, rate: 0.5, on: true, none: null, text: abc, list: [1, 2]}"
    assert parse_yaml(text) == {"count": 3, "rate": 0.5, True: True, "none": None, "text": "abc", "list": [1, 2]}
    assert parse_yaml("") is None


def test_a_date_is_text() -> None:
    assert parse_yaml("[2020-01-31, 2020-13-45, 2020-01-31 10:00:00]") == [
        "2020-01-31",
        "2020-13-45",
        "2020-01-31 10:00:00",
    ]


def test_aliases_and_merge_keys_work() -> None:
    text = "base: &base {epochs: 3, seed: 1}\nmine: {<<: *base, epochs: 5}"
    assert parse_yaml(text)["mine"] == {"epochs": 5, "seed": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("output: a\noutput: b", r"line 2: output is given twice \(lines 1 and 2\); keep one"),
        ("training:\n  epochs: 1\n  epochs: 3", r"line 3: training.epochs is given twice \(lines 2 and 3\)"),
        ("- a: 1\n  a: 2", r"line 2: a is given twice"),
        ("a: {b: 1, 'b': 2}", r"line 1: a.b is given twice"),
        ("a:\n  b: !!int foo", "line 2: a.b: 'foo' is not a whole number"),
        ("a: !!bool 3", "a: '3' is not true or false"),
        ("a: !!float b", "a: 'b' is not a number"),
        (f"a: {'9' * 5000}", "a: '9+\\.\\.\\.9+' is not a whole number"),
        ("a: !!timestamp 2020-01-01", "a: the tag '!!timestamp' is not allowed; remove it"),
        ("a: !!binary ä", "the tag '!!binary' is not allowed"),
        ("a: !!set {b}", "the tag '!!set' is not allowed"),
        ("a: !!python/object/apply:os.getcwd []", "the tag '!!python/object/apply:os.getcwd' is not allowed"),
        ('a: "b\\0c"', r"a: the character '\\x00' is not allowed"),
        ('a: "\\ud800"', r"a: the character '\\ud800' is not allowed"),
        ('a: "\\e[31m"', r"a: the character '\\x1b' is not allowed"),
        ("a: b\x00c", r"the character '\\x00' is not allowed"),
        ("[" * 5000 + "]" * 5000, "has more than 100 levels"),
        ("- " * 5000 + "x", "has more than 100 levels"),
        ("a0: &a0 x\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(200)), "has more than 100 levels"),
        (_bomb(9), "has more than 1,000,000 values; use fewer aliases"),
        ("a: &a [*a]", "a: an alias refers to a value that contains the alias"),
        ("? [1, 2]\n: 3", "has a key that is not a short text"),
        ("a: [1, 2", "is not valid YAML"),
        ("a: *b", "line 1: is not valid YAML"),
        ("a: 1\n---\nb: 2", "has several documents"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(YamlMistake, match=message) as caught:
        parse_yaml(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_file_that_cannot_be_read_is_named_with_the_cure(tmp_path: Path) -> None:
    for file, message in {
        tmp_path / "none.yaml": "none.yaml: does not exist; try this",
        tmp_path: "cannot be read: Is a directory; give a file",
        Path("/dev/zero"): "/dev/zero: has more than 10 MB",
    }.items():
        with pytest.raises(BadInput, match=message):
            read_yaml(file, "try this")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("output: größe".encode("latin-1"))
    with pytest.raises(BadInput, match=r"a.yaml: is not UTF-8 text; save it as UTF-8"):
        read_yaml(tmp_path / "a.yaml", "try this")
    (tmp_path / "b.yaml").write_bytes("output: größe".encode("utf-8-sig"))
    assert read_yaml(tmp_path / "b.yaml", "try this") == [{"output": "größe"}]


def test_a_mistake_in_a_file_is_named_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n---\nb: 1\nb: 2\n")
    with pytest.raises(BadInput, match=r"a.yaml, line 4: b is given twice \(lines 3 and 4\)"):
        read_yaml(tmp_path / "a.yaml", "try this")
