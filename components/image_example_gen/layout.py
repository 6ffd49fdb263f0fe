"""Layout: the form of the data, and where it holds image, label and split."""

from collections.abc import Container
from typing import Annotated, Literal

from pydantic import Field

from efficientmixnet.modules.config.names import FolderName
from efficientmixnet.modules.config.section import TAKES_PATHS, PathText, Section

_SPLIT = "split"


class Layout(Section):
    format: Literal["auto", "folders", "tfrecord", "webdataset", "parquet"] = "auto"
    """The format of the data: class folders, TFRecords of tf.Examples, WebDataset's tar shards or Parquet. auto chooses
    by the names of the files."""
    image: str | None = None
    """The column, feature or, in tar shards, file extension of the encoded image; null: the format's usual name."""
    label: str | None = None
    """The column, feature or file extension of the label; null: the format's usual name."""
    split: str | None = None
    """The column, feature or file extension of the split; null: split, except in tar shards the one in .json. There and
    in TFRecords and Parquet files, it counts only if all its values are names of splits."""
    split_files: dict[FolderName, Annotated[str, TAKES_PATHS]] = {}
    """The files of each split, as a pattern of their names or the folder of the class folders, such as
    {train: 'train-*', eval: 'val*'}."""
    features: tuple[str, ...] | None = None
    """Further columns to keep as features, for slicing; null: all columns of a manifest, none elsewhere."""
    span: int | None = Field(None, ge=0, lt=2**63)
    """The span to read, if data.images or data.manifest contains {SPAN}, or {YYYY}, {MM} and {DD}; null: the latest."""
    label_names: PathText | None = None
    """A text file with the names of labels that are numbers, one name per line, from label 0."""

    def split_among(self, names: Container[str]) -> str | None:
        """Returns the name of the split's column: the one that is set, or split if it is there and nothing else is set.

        Args:
            names: The columns of a file with many images.
        """
        is_free = not self.split and not self.split_files and self.label != _SPLIT
        return _SPLIT if is_free and _SPLIT in names else self.split
