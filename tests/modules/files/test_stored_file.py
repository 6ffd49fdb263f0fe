"""Tests of the messages for damaged files of earlier runs."""

import errno
import os
from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named, read_json


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b'{"metrics": [1, 2', "it is not JSON"),
        (b"\xff\xfe\x00", "it is not UTF-8"),
        (b"{}", "it has no 'metrics'"),
        (b"[]", "it has no 'metrics'"),
        (b"7", "TypeError"),
        (b"[" * 100_000, "RecursionError"),
        (None, "it is missing"),
    ],
)
def test_a_damaged_json_file_is_named_with_the_reason_and_the_cure(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "content.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInput) as raised:
        read_json(file, "delete it", "metrics")
    message = str(raised.value)
    assert message.startswith(f"{file}: is damaged ({why}")
    assert message.endswith("); delete it")
    assert "\n" not in message


def test_an_intact_json_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"metrics": ["é"]}', encoding="utf-8")
    assert read_json(tmp_path / "a", "delete it", "metrics") == {"metrics": ["é"]}


def test_an_error_that_already_names_its_culprit_is_not_wrapped() -> None:
    with pytest.raises(BadInput, match=r"^the inner file$"), damage_named("the outer file", "delete it"):
        raise BadInput("the inner file")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_a_file_that_the_system_refuses_is_not_called_damaged(number: int) -> None:
    refused = f"^content: {os.strerror(number)}; (?!.*delete)"
    with pytest.raises(BadInput, match=refused), damage_named("content", "delete it"):
        raise OSError(number, os.strerror(number))
