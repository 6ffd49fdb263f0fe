"""Layout: the form of the data, and where it holds image, label and split."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from efficientmixnet.components.image_example_gen.labels import label_text
from efficientmixnet.modules.config.names import FolderName
from efficientmixnet.modules.config.section import TAKES_PATHS, PathText, Section
from efficientmixnet.modules.exceptions import BadInput

_MOST_DIGITS = 18  # Python refuses to convert thousands of them


class Layout(Section):
    format: Literal["auto", "folders", "tfrecord", "webdataset", "parquet"] = "auto"
    """The format of the data: class folders, TFRecords of tf.Examples, WebDataset's tar shards or Parquet. auto chooses
    by the names of the files."""
    image: str | None = None
    """The column, feature or, in tar shards, file extension of the encoded image; null: the format's usual name."""
    label: str | None = None
    """The column, feature or file extension of the label; null: the format's usual name."""
    split: str | None = None
    """The column, feature or file extension of the split; null: split in a manifest, none elsewhere."""
    split_files: dict[FolderName, Annotated[str, TAKES_PATHS]] = {}
    """The files of each split, as a pattern of their names or the folder of the class folders, such as
    {train: 'train-*', eval: 'val*'}."""
    features: tuple[str, ...] | None = None
    """Further columns to keep as features, for slicing; null: all columns of a manifest, none elsewhere."""
    span: int | None = Field(None, ge=0, lt=2**63)
    """The span to read, if data.images or data.manifest contains {SPAN}, or {YYYY}, {MM} and {DD}; null: the latest."""
    label_names: PathText | None = None
    """A text file with the names of labels that are numbers, one name per line, from label 0."""


class LabelNames:
    """Turns labels that are numbers into names.

    Args:
        names: The names, from label 0; empty where there are none.
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self._names = names

    @classmethod
    def read(cls, file: str | None) -> "LabelNames":
        """Reads the names from a file with one name per line.

        Raises:
            BadInput: The file cannot be read.
        """
        if file is None:
            return cls()
        if not Path(file).is_file():
            raise BadInput(f"data.layout.label_names: {file} cannot be read (not a file). Give a UTF-8 text file.")
        try:
            return cls(tuple(Path(file).read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(
                f"data.layout.label_names: {file} cannot be read ({error}). Give a UTF-8 text file."
            ) from None

    def or_else(self, names: tuple[str, ...]) -> "LabelNames":
        """Returns these names, or the given ones if there are none."""
        return self if self._names else LabelNames(names)

    def name(self, label: object) -> str:
        """Returns the label's name.

        Text is returned as it is, and so are numbers if there are no names. A number without a name becomes "".

        Raises:
            BadLabel: It is not a single class.
        """
        text = label_text(label)
        digits = text.removesuffix(".0")
        if not self._names or not digits.isdecimal():
            return text
        number = int(digits[-_MOST_DIGITS:])
        known = len(digits) <= _MOST_DIGITS and number < len(self._names)
        return label_text(self._names[number]) if known else ""
