"""Explained: the labels of an image and the regions that they depend on, as the page shows them."""

from threading import Lock
from typing import Any

from efficientmixnet.components.report.html_page import shown
from efficientmixnet.pipeline.scoring.classifier import Classifier

_LABELS = 5
_SIDE = 320  # pixels, the longer side of an image on the page


class Explained:
    """Answers the page's questions about an image.

    The map is the class activation map of the last feature maps (`ServingModule.class_activations`), which is
    Grad-CAM's for these networks (Selvaraju et al., 2017, arXiv 1610.02391).

    Args:
        classifier: The pushed model.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._one_at_a_time = Lock()  # images of several tabs would fill the memory

    def classify(self, file: bytes) -> dict[str, Any]:
        """Returns the image as a thumbnail and its most probable labels, or the reason why it cannot be read."""
        from efficientmixnet.components.report.thumbnails import thumbnail

        with self._one_at_a_time:
            image = self._classifier.read(file)
            if isinstance(image, str):
                return {"error": f"The image {image}."}
            (found,) = self._classifier.probabilities_of_each([image])
            if isinstance(found, str):
                return {"error": f"The image {found}."}
            classes = (-found).argsort()[:_LABELS].tolist()
            labels = [
                {"class": one, "label": shown(self._classifier.labels[one]), "probability": float(found[one])}
                for one in classes
            ]
            return {"image": thumbnail(image, _SIDE), "labels": labels}

    def activation_map(self, file: bytes, class_id: int) -> dict[str, Any]:
        """Returns the image with the regions that matter for a class in bright colors, or a reason."""
        from efficientmixnet.components.report.thumbnails import overlaid

        with self._one_at_a_time:
            image = self._classifier.read(file)
            if isinstance(image, str) or not 0 <= class_id < len(self._classifier.labels):
                return {"error": "There is no such image or class."}
            found = self._classifier.activations(image, class_id)
            if found is None:
                return {"error": "The model has no maps, because an earlier version pushed it. Run the pipeline again."}
            return {"map": overlaid(*found, side=_SIDE)}
