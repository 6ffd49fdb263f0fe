"""resolve: derives missing values of the configuration from the images."""

import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from statistics import median

from efficientmixnet.components.evaluator.least_accuracy import guessing_accuracy, least_accuracy
from efficientmixnet.components.image_example_gen.channels import find_channels
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.image_example_gen.readers.by_format import images_of
from efficientmixnet.components.image_example_gen.sources import Entry, Sources, name_hash
from efficientmixnet.components.image_example_gen.split_names import EVAL, TEST, TRAIN
from efficientmixnet.modules.config.section import Section
from efficientmixnet.modules.exceptions import BadImage, BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.data_config import DataConfig, bands_problem
from efficientmixnet.pipeline.starting_weights import find_weights
from efficientmixnet.pipeline.terminal import echo

_SAMPLE = 200  # the number of images whose headers are read
_STEP = 32  # pixels; the networks halve the image size five times
_LEAST = 64  # pixels; with less, the last stages of the published networks see a single pixel


def resolve(config: Config, sources: Sources) -> Config:
    """Fills in data.channels, network.image_size and evaluation.thresholds, so that the configuration is complete.

    A split that only the data names, such as test, is added to data.splits with the fraction 0.

    A folder of pushed models in network.weights is replaced by its newest model, so that a repeated run starts from the
    same weights.

    If the evaluation split is too small to tell a model from a guess, the accuracy has no threshold, and the gate
    blesses no model. A line on standard error says so.

    Args:
        config: A configuration with absolute paths.
        sources: The images.

    Returns:
        The complete configuration.

    Raises:
        BadInput: There are no training images, network.weights does not exist or is not a weights file, or data.bands
            does not fit data.channels.
    """
    named = {entry.split or TRAIN for entry in sources.entries}
    if TRAIN not in named:
        raise BadInput(
            f"{config.data.manifest or config.data.images}: the images are all in the splits "
            f"{', '.join(sorted(named))}. Add training images, or give their split in data.split_names."
        )
    if config.data.channels == "auto":
        channels = find_channels(sources, config.data.layout, config.data.max_image_bytes)
        if problem := bands_problem(config.data.bands, channels):
            raise BadInput(f"data.bands: {problem}")
        config = config.model_copy(update={"data": config.data.model_copy(update={"channels": channels})})
    network: dict[str, object] = {}
    if config.network.image_size is None:
        network["image_size"] = _image_size(config, sources)
    if config.network.weights and os.path.isabs(config.network.weights):
        network["weights"] = find_weights(config.network.weights)
    changed: dict[str, Section] = {"network": config.network.model_copy(update=network)} if network else {}
    if "accuracy" not in config.evaluation.thresholds and (least := _least_accuracy(sources)) is not None:
        thresholds = {**config.evaluation.thresholds, "accuracy": least}
        changed["evaluation"] = config.evaluation.model_copy(update={"thresholds": thresholds})
    if sources.splits.keys() - config.data.splits.keys():
        splits = {**dict.fromkeys(sources.splits, 0.0), **config.data.splits}
        changed["data"] = config.data.model_copy(update={"splits": splits})
    return config.model_copy(update=changed)


def _image_size(config: Config, sources: Sources) -> int:
    largest = config.network.default_image_size
    sides = list(_shorter_sides(_sample(sources), sources.format, config.data)) or [largest]
    fitting = round(median(sides) / _STEP) * _STEP
    least = _STEP if config.network.variant == "auto" and config.network.weights is None else _LEAST
    return max(min(fitting, largest), min(least, largest), config.network.smallest_image_size)


def _sample(sources: Sources) -> list[Entry]:
    entries = [entry for entry in sources.entries if entry.split != TEST] or list(sources.entries)
    first = entries[0]
    # An archive can only be read from its beginning, so one of them has to be enough.
    candidates = [entry for entry in entries if first.row is None or entry.path == first.path]
    return sorted(candidates, key=lambda entry: name_hash(entry.name))[:_SAMPLE]


def _shorter_sides(entries: list[Entry], kind: str, data: DataConfig) -> Iterator[int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata
        for _, encoded in images_of(entries, kind, data.layout):
            if isinstance(encoded, bytes):
                try:
                    yield min(open_image(encoded, channels=None if data.channels == "auto" else data.channels).size)
                except BadImage:
                    continue  # ImageExampleGen reports it


def _least_accuracy(sources: Sources) -> float | None:
    """The accuracy that is better than guessing. None: the images are too few."""
    train, evaluation = (
        Counter(entry.label for entry in sources.entries if entry.split == split) for split in (TRAIN, EVAL)
    )
    images = evaluation.total()
    guessing = guessing_accuracy(train, evaluation)
    least = least_accuracy(guessing, images)
    if least is not None:
        digits = 10 ** max(4, len(str(images)))
        return math.floor(least * digits) / digits  # Rounded up, it could not be reached.
    if images:  # ImageExampleGen stops the run if a split is empty.
        echo(
            f"evaluation.thresholds.accuracy: guessing gets all {images} evaluation images right with a probability "
            f"of {guessing**images:.3g}, so no model will be blessed; add images, or give the lowest accuracy, "
            "such as 0.9",
            err=True,
            color="yellow",
        )
    return None
