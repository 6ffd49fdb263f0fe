"""Images of three classes in folders or a manifest, and what is found with a list of corrections."""

from pathlib import Path
from typing import Any

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources
from efficientmixnet.components.image_example_gen.splits import Splits

SPLITS = {"train": 0.8, "eval": 0.2}
LABELS = ("cat", "dog", "große Bären")
EACH = 15  # images of a class


def names_and_labels() -> list[tuple[str, str]]:
    """Returns the number and the label of each image."""
    return [(f"{number:04d}", LABELS[number % len(LABELS)]) for number in range(EACH * len(LABELS))]


def class_folders(data: Path, _: Any) -> tuple[Path, str | None]:
    """Writes class folders. Returns them, and no manifest."""
    for number, label in names_and_labels():
        (data / label).mkdir(parents=True, exist_ok=True)
        (data / label / f"{number}.png").write_bytes(b"any")
    return data, None


def images_and_manifest(data: Path, _: Any) -> tuple[Path, str | None]:
    """Writes images, and a manifest that also has a camera for each of them."""
    data.mkdir()
    for number, _label in names_and_labels():
        (data / f"{number}.png").write_bytes(b"any")
    rows = "".join(f"{number}.png,{label},{int(number) % 3}\n" for number, label in names_and_labels())
    (data / "list.csv").write_text(f"path,label,camera\n{rows}", encoding="utf-8")
    return data, str(data / "list.csv")


def find(data: Path, manifest: str | None, corrections: Path | None = None, group: str | None = None) -> Sources:
    """Returns what is found in the data with these corrections."""
    rule = Splits(SPLITS, group=group)
    return find_dataset(str(data), manifest, rule, Layout(), corrections=corrections and str(corrections))


def splits_of(sources: Sources) -> dict[str, str | None]:
    """Returns the split of each image."""
    return {entry.name: entry.split for entry in sources.entries}


def labels_of(sources: Sources) -> dict[str, str]:
    """Returns the label of each image."""
    return {entry.name: entry.label for entry in sources.entries}
