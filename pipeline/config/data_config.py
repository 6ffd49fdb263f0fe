"""DataConfig: the section `data` of the configuration."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, model_validator

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.spans import has_spans
from efficientmixnet.components.image_example_gen.splits import Splits
from efficientmixnet.modules.config.names import FolderName
from efficientmixnet.modules.config.section import Fraction, PathText, Section

_MOST_PIXELS = 2**29 - 1  # of an image that TensorFlow decodes
_MOST_IMAGE_BYTES = 2**31 - 1  # of a protocol buffer, which holds the image
_NEEDED = frozenset({"train", "eval"})  # splits
_LEAST_SPLIT = 1e-6  # of all images
_MOST_CHANNELS = 1000


def bands_problem(bands: tuple[int, ...] | None, channels: int) -> str | None:
    """Returns why images with this number of channels cannot be shown with these bands, or None."""
    if bands and max(bands) >= channels:
        return f"{max(bands)} is not one of the channels 0 to {channels - 1}"
    return None


def _channels(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and 1 <= value <= _MOST_CHANNELS):
        return value
    raise ValueError(f"data.channels: {value!r} is neither a number from 1 to {_MOST_CHANNELS:,} nor auto")


class DataConfig(Section):
    """The dataset and how it is read."""

    images: PathText = "images"
    """The folder with a folder of images for each class, or with files of the format in layout. It may be a URL (gs://
    or s3://). Paths are relative to the folder of this file."""
    manifest: PathText | None = None
    """A CSV or JSON-lines file with the path, label and optionally split of each image, instead of class folders."""
    corrections: PathText | None = None
    """A CSV or JSON-lines file with the path and the right label of some images, such as a corrected relabel.csv. A row
    without a label leaves its image out. No image changes its split."""
    splits: dict[FolderName, Annotated[float, Field(ge=0, le=1e6)]] = {"train": 0.8, "eval": 0.2}
    """The fraction of each label's images in each split, if the data names no splits. The names of images decide, so an
    image keeps its split when others are added. A split with the fraction 0, such as test, has only the images that the
    data puts into it."""
    split_names: dict[str, FolderName] = {}
    """The splits that names in the data mean, such as {holdout: test}. val, valid, validation and dev mean eval."""
    group: str | None = Field(None, min_length=1)
    """A column whose value joins images, such as patient_id. All images of a group are in one split."""
    near_duplicates: bool = True
    """Whether to look for the same image in two splits, at another size or quality. The search takes about 0.2 ms for
    each image: less than 10 % of reading a photograph, but more than that for smaller images."""
    max_left_out: Fraction = 0.01
    """The run stops if a larger fraction of the images cannot be read."""
    max_pixels: int = Field(100_000_000, ge=1, le=_MOST_PIXELS)
    """Images with more pixels are left out."""
    max_image_bytes: int = Field(MAX_IMAGE_BYTES, ge=1, le=_MOST_IMAGE_BYTES)
    """Images with more bytes are left out: files, files in a tar shard, and values in a TFRecord or Parquet file."""
    channels: Annotated[int | Literal["auto"], BeforeValidator(_channels)] = 3
    """The number of channels: 3 for photographs, where gray images become RGB; 1 for gray images; any number for TIFF
    files with as many bands, .npy and .npz files; auto: that of the first images. Images with another number are left
    out."""
    bands: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt] | None = None
    """The channels, from 0, that pages show as red, green and blue, if there are more than three; null: the first
    three."""
    schema_file: PathText | None = None
    """A schema (schema.pbtxt) that the data must fit; null: the schema is inferred from the training split."""
    training_spans: int = Field(1, ge=1, le=10_000)
    """The number of latest spans to train on, if images has spans. Earlier runs in this output must have read them."""
    drift: dict[str, Fraction] = {}
    """By feature, the largest distance from the previous span, or without spans from the previous run, such as
    {image/class/text: 0.1}: for text the largest difference of a value's fraction, for numbers the Jensen-Shannon
    divergence."""
    served: PathText | None = None
    """The folder of images that a served model got, for skew."""
    skew: dict[Literal["image/width", "image/height", "image/format", "image/colorspace"], Fraction] = {}
    """By feature, the largest distance of the training split from the served images, such as {image/width: 0.2}."""
    layout: Layout = Layout()

    @property
    def splitting(self) -> Splits:
        """How images are divided."""
        return Splits(self.splits, self.split_names, self.group)

    @model_validator(mode="after")
    def _has_train_and_eval(self) -> "DataConfig":
        missing = _NEEDED - set(self.splits)
        if missing:
            raise ValueError(f"splits: needs {' and '.join(sorted(missing))}, such as {{train: 0.8, eval: 0.2}}")
        whole = sum(self.splits.values())
        for split, part in self.splits.items():
            if (part or split in _NEEDED) and (not part or part / whole < _LEAST_SPLIT):
                raise ValueError(
                    f"splits.{split}: {part:g} of {whole:g} is less than a millionth of the images; raise it"
                )
        if self.channels != "auto" and (problem := bands_problem(self.bands, self.channels)):
            raise ValueError(f"bands: {problem}")
        if self.training_spans > 1 and not any(map(has_spans, (self.manifest or "", self.images))):
            raise ValueError("training_spans: images has no spans. Give a path such as days/{YYYY}-{MM}-{DD}")
        if self.skew and not self.served:
            raise ValueError("served: skew needs served images. Give their folder")
        unknown = sorted(set(self.split_names.values()) - {*self.splits, "test"})
        if unknown:
            raise ValueError(f"split_names: {unknown[0]!r} is not one of the splits {', '.join(self.splits)}")
        unknown = sorted(set(self.layout.split_files) - set(self.splits))
        if unknown:
            raise ValueError(f"layout.split_files: {unknown[0]!r} is not one of the splits {', '.join(self.splits)}")
        return self
