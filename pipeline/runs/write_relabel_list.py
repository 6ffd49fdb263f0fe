"""write_relabel_list: writes the relabel list, unless someone has corrected it."""

from pathlib import Path

from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.terminal import echo


def write_relabel_list(file: Path, text: str, former: str = "") -> None:
    """Writes the list. A list that was changed stays as it is, and a line says so.

    Args:
        file: The file to write.
        text: The list.
        former: The list that was written before; empty if it is the same or not known.
    """
    if file.is_file() and file.read_bytes() not in (text.encode(), former.encode()):
        echo(f"{file}: was changed, so it stays as it is; delete it to get a new list", err=True)
    else:
        write_text(file, text)
