"""note: a command tells the process that waits for it where it is. supervisor.py says why it waits."""

import json
import os
from typing import IO

_notes: IO[str] | None = None


def note(**facts: str) -> None:
    """Notes the `place`, such as the component, and the `run`, `output` and `log` of a run. The last value counts."""
    if _notes:
        print(json.dumps(facts), file=_notes, flush=True)


def note_to(pipe: int) -> None:
    """Makes `note` write to this end of a pipe."""
    global _notes
    _notes = os.fdopen(pipe, "w")


def read_notes(pipe: int) -> dict[str, str]:
    """Returns the facts from the other end of the pipe."""
    os.set_blocking(pipe, False)  # A process that the command has started may still hold its end.
    facts: dict[str, str] = {}
    with open(pipe) as lines:
        for line in (lines.read() or "").splitlines():
            facts |= json.loads(line)
    return facts
