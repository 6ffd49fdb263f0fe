"""Layout: the form of the data, and where it holds image, label and split."""

from typing import Annotated, Literal

from pydantic import Field

from efficientmixnet.modules.config.names import FolderName
from efficientmixnet.modules.config.section import TAKES_PATHS, PathText, Section


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
