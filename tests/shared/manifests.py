"""read_csv and read_json_lines: the images of a manifest with a given text."""

from pathlib import Path

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images

SPLITS = frozenset({"train", "eval"})


def read_csv(data: Path, text: str, encoding: str = "utf-8") -> Sources:
    """Writes the manifest next to the folder of the images, and lists the images."""
    manifest = data.parent / "list.csv"
    manifest.write_text(text, encoding=encoding)
    return find_images(str(data), str(manifest), SPLITS)


def read_json_lines(data: Path, *lines: str, layout: Layout | None = None) -> Sources:
    """The same with a line of JSON for each row."""
    manifest = data.parent / "list.jsonl"
    manifest.write_text("\n".join(lines), encoding="utf-8")
    return find_images(str(data), str(manifest), SPLITS, layout)
