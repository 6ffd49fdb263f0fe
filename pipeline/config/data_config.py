"""DataConfig: the section `data` of the configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.spans import has_spans
from efficientmixnet.modules.config.section import Fraction, Section


class DataConfig(Section):
    images: str = "images"
    """The folder that holds one folder of images per class, or of layout's files; gs:// and s3:// work too. Relative
    paths start at this file's folder."""
    manifest: str | None = None
    """A CSV or JSON-lines file with path, label and optionally split of each image, instead of class folders."""
    splits: dict[str, Annotated[float, Field(gt=0)]] = {"train": 0.8, "eval": 0.2}
    """Each split's share; an image's split follows from its name alone."""
    max_left_out: Fraction = 0.01
    """The run stops where a larger share of the images cannot be read."""
    max_pixels: int = Field(100_000_000, ge=1)
    """An image with more pixels is left out, not decoded."""
    schema_file: str | None = None
    """A curated schema (schema.pbtxt) that the data must fit; null: inferred from the training split."""
    training_spans: int = Field(1, ge=1)
    """Where images has spans: training learns from so many of the latest that runs in this output have read."""
    drift: dict[str, Fraction] = {}
    """By feature, how far its values may have moved since the span before, or without spans the run before: text by the
    largest difference of a share, numbers by Jensen and Shannon's divergence; {image/class/text: 0.1}."""
    served: str | None = None
    """A folder of images as they were served, for skew."""
    skew: dict[Literal["image/width", "image/height", "image/format", "image/colorspace"], Fraction] = {}
    """By feature, how far training may be from served, measured as for drift: {image/width: 0.2}."""
    layout: Layout = Layout()

    @model_validator(mode="after")
    def _has_train_and_eval(self) -> "DataConfig":
        missing = {"train", "eval"} - set(self.splits)
        if missing:
            raise ValueError(f"splits: needs {' and '.join(sorted(missing))}, such as {{train: 0.8, eval: 0.2}}")
        if self.training_spans > 1 and not any(map(has_spans, (self.manifest or "", self.images))):
            raise ValueError("training_spans: images has no spans; name them, such as days/{YYYY}-{MM}-{DD}")
        if self.skew and not self.served:
            raise ValueError("served: skew is measured from served images; name their folder")
        unknown = sorted(set(self.layout.split_files) - set(self.splits))
        if unknown:
            raise ValueError(f"layout.split_files: {unknown[0]!r} is none of the splits {', '.join(self.splits)}")
        return self
