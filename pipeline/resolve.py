"""What the pictures themselves decide, where the configuration leaves it to them."""

import io
import warnings
from collections.abc import Iterator
from statistics import median

from PIL import Image

from efficientmixnet.components.image_example_gen.containers import pictures_of
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Entry, Sources, name_hash
from efficientmixnet.modules.training_config import Section
from efficientmixnet.pipeline.config import Config

_SAMPLE = 200  # pictures whose headers are read
_STEP = 32  # pixels; the networks halve the side five times
_LEAST = 64  # pixels; below, the published networks are left with a single pixel for their last stages


def resolve(config: Config, sources: Sources) -> Config:
    """Fills in network.image_size and evaluation.thresholds, so that the configuration says all there is to say."""
    changed: dict[str, Section] = {}
    if config.network.image_size is None:
        changed["network"] = config.network.model_copy(update={"image_size": _image_size(config, sources)})
    if "accuracy" not in config.evaluation.thresholds:
        thresholds = {**config.evaluation.thresholds, "accuracy": round(_majority(sources), 4)}
        changed["evaluation"] = config.evaluation.model_copy(update={"thresholds": thresholds})
    return config.model_copy(update=changed)


def _image_size(config: Config, sources: Sources) -> int:
    largest = config.network.default_image_size
    sides = list(_shorter_sides(_sample(sources), sources.format, config.data.layout)) or [largest]
    fitting = round(median(sides) / _STEP) * _STEP
    return max(min(fitting, largest), min(_LEAST, largest), config.network.smallest_image_size)


def _sample(sources: Sources) -> list[Entry]:
    first = sources.entries[0]
    # Of what can only be read from its beginning, one file is enough.
    near = [entry for entry in sources.entries if first.row is None or entry.path == first.path]
    return sorted(near, key=lambda entry: name_hash(entry.name))[:_SAMPLE]


def _shorter_sides(entries: list[Entry], kind: str, layout: Layout) -> Iterator[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # a huge picture is ImageExampleGen's to refuse
        for _, encoded in pictures_of(entries, kind, layout):
            try:
                with Image.open(io.BytesIO(encoded)) as picture:
                    yield min(picture.size)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                continue  # ImageExampleGen will say what is wrong with it


def _majority(sources: Sources) -> float:
    """The accuracy of always naming the most frequent class."""
    return max(sources.labels.values()) / len(sources.entries)
