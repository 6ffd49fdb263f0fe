"""Layout: in what form the images come, and where in it label and split stand."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from efficientmixnet.modules.config.section import Section
from efficientmixnet.modules.exceptions import BadInput


class Layout(Section):
    format: Literal["auto", "folders", "tfrecord", "webdataset", "parquet"] = "auto"
    """Class folders, TFRecords of tf.Examples, WebDataset's tar shards or Parquet; auto: by the files' names."""
    image: str | None = None
    """The column, feature or, in tar shards, extension of the encoded image; null: the one that is usual there."""
    label: str | None = None
    """The same of the label."""
    split: str | None = None
    """The same of the split; null: split in a manifest, none elsewhere."""
    split_files: dict[str, str] = {}
    """By split, a pattern of its files' names, or the folder of its class folders: {train: 'train-*', eval: 'val*'}."""
    features: tuple[str, ...] | None = None
    """Further columns that become features, to slice by; null: all of a manifest, none elsewhere."""
    span: int | None = Field(None, ge=0)
    """Where data.images or data.manifest has {SPAN}, {VERSION}, or {YYYY}, {MM} and {DD} in it: which;
    null: the latest."""
    label_names: str | None = None
    """A text file for labels that are numbers: one name a line, the first one of label 0."""


class LabelNames:
    """Turns numbers into names, where the layout, or the file itself, knows them."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = names

    @classmethod
    def read(cls, file: str | None) -> "LabelNames":
        """From a file with a name a line.

        Raises:
            BadInput: there is no such file.
        """
        if file is None:
            return cls()
        try:
            return cls(tuple(Path(file).read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"data.layout.label_names: {file} cannot be read ({error}); name a UTF-8 text file"
            ) from None

    def or_else(self, names: tuple[str, ...]) -> "LabelNames":
        """These, or where there are none, the given ones."""
        return self if self._names else LabelNames(names)

    def name(self, label: object) -> str:
        """The label's name; "" for a number without one, where there are names at all.

        A label that is text already is its own name.
        """
        text = label.decode(errors="replace") if isinstance(label, bytes) else "" if label is None else str(label)
        text = text.strip()
        if not self._names or not text.isdecimal():
            return text
        number = int(text)
        return self._names[number].strip() if number < len(self._names) else ""
