"""QuickClassifier: a pushed model that is ready sooner, for a few images."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import LABELS, channels_of
from efficientmixnet.pipeline.literal_path import literal_path
from efficientmixnet.pipeline.scoring.image_classifier import ImageClassifier
from efficientmixnet.pipeline.scoring.input_type import UINT8
from efficientmixnet.pipeline.scoring.quiet_load import quiet_load
from efficientmixnet.pipeline.scoring.saved_model_session import InvalidImage, SavedModelSession

if TYPE_CHECKING:
    import numpy as np


class QuickClassifier(ImageClassifier):
    """A pushed model that TensorFlow's C library loads. It gives the same probabilities as Classifier.

    Args:
        folder: The folder of the model.
    """

    undecodable = InvalidImage

    def __init__(self, folder: Path) -> None:
        self._file = folder / LABELS
        self.labels = [str(label) for label in json.loads(self._file.read_text(encoding="utf-8"))]
        self.channels = channels_of(folder)
        with literal_path(folder) as literal:
            self._probabilities = SavedModelSession(literal, "serving_default", features.PROBABILITIES)
        self.has_8_bits = self._probabilities.input_type("classify_inputs") == UINT8

    def probabilities(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the probabilities of JPEG, PNG or .npy files, float32 [batch, classes]."""
        found = self._probabilities(encoded)
        if found.shape != (len(encoded), len(self.labels)):
            raise BadInput(
                f"{self._file}: has {len(self.labels)} labels, and the model {found.shape[-1]}; push it again"
            )
        return found


def quick_classifier(folder: Path) -> QuickClassifier | None:
    """Returns the model, or None if only Classifier can load it or explain the error.

    Args:
        folder: The folder of the model.
    """
    try:
        with quiet_load():
            return QuickClassifier(folder)
    except (OSError, RuntimeError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None  # a damaged model, one without labels, or another TensorFlow
