"""DataConfig: the section `data` of the configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.spans import has_spans
from efficientmixnet.modules.config.section import Fraction, Section


class DataConfig(Section):
    """The dataset and how it is read."""

    images: str = "images"
    """The folder with a folder of images for each class, or with files of the format in layout. It may be a URL (gs://
    or s3://). Paths are relative to the folder of this file."""
    manifest: str | None = None
    """A CSV or JSON-lines file with the path, label and optionally split of each image, instead of class folders."""
    splits: dict[str, Annotated[float, Field(gt=0)]] = {"train": 0.8, "eval": 0.2}
    """The fraction of images in each split. The split of an image depends only on its name."""
    max_left_out: Fraction = 0.01
    """The run stops if a larger fraction of the images cannot be read."""
    max_pixels: int = Field(100_000_000, ge=1)
    """Images with more pixels are left out."""
    max_image_bytes: int = Field(MAX_IMAGE_BYTES, ge=1)
    """Images with more bytes are left out: files, files in a tar shard, and values in a TFRecord or Parquet file."""
    schema_file: str | None = None
    """A schema (schema.pbtxt) that the data must fit; null: the schema is inferred from the training split."""
    training_spans: int = Field(1, ge=1)
    """The number of latest spans to train on, if images has spans. Earlier runs in this output must have read them."""
    drift: dict[str, Fraction] = {}
    """By feature, the largest distance from the previous span, or without spans from the previous run, such as
    {image/class/text: 0.1}: for text the largest difference of a value's fraction, for numbers the Jensen-Shannon
    divergence."""
    served: str | None = None
    """The folder of images that a served model got, for skew."""
    skew: dict[Literal["image/width", "image/height", "image/format", "image/colorspace"], Fraction] = {}
    """By feature, the largest distance of the training split from the served images, such as {image/width: 0.2}."""
    layout: Layout = Layout()

    @model_validator(mode="after")
    def _has_train_and_eval(self) -> "DataConfig":
        missing = {"train", "eval"} - set(self.splits)
        if missing:
            raise ValueError(f"splits: needs {' and '.join(sorted(missing))}, such as {{train: 0.8, eval: 0.2}}")
        if self.training_spans > 1 and not any(map(has_spans, (self.manifest or "", self.images))):
            raise ValueError("training_spans: images has no spans. Give a path such as days/{YYYY}-{MM}-{DD}")
        if self.skew and not self.served:
            raise ValueError("served: skew needs served images. Give their folder")
        unknown = sorted(set(self.layout.split_files) - set(self.splits))
        if unknown:
            raise ValueError(f"layout.split_files: {unknown[0]!r} is not one of the splits {', '.join(self.splits)}")
        return self
