"""Tests of QuickClassifier, against Classifier."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import LABELS
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.quick_classifier import quick_classifier


@pytest.fixture
def model(tmp_path: Path, push_brightness: Callable[..., None]) -> Path:
    push_brightness(tmp_path / "model", "bright", "dark")
    return tmp_path / "model"


def _images() -> list[bytes]:
    images = []
    for gray, kind in ((0, "PNG"), (51, "JPEG"), (255, "PNG")):
        file = io.BytesIO()
        Image.new("RGB", (6, 5), (gray, gray, gray)).save(file, kind)
        images.append(file.getvalue())
    return images


def test_it_gives_the_labels_and_probabilities_of_a_classifier(model: Path) -> None:
    quick, classifier = quick_classifier(model), Classifier(str(model))
    assert quick is not None
    assert quick.labels == classifier.labels == ["bright", "dark"]
    found = quick.probabilities(_images())
    np.testing.assert_allclose(found, classifier.probabilities(_images()), rtol=1e-6)
    np.testing.assert_allclose(found, [[0, 1], [0.2, 0.8], [1, 0]], atol=1e-6)


def test_the_path_of_a_model_is_no_pattern(model: Path, tmp_path: Path) -> None:
    expected = Classifier(str(model)).probabilities(_images())
    renamed = model.rename(tmp_path / "run [v2]*?")
    quick = quick_classifier(renamed)
    assert quick is not None
    np.testing.assert_allclose(quick.probabilities(_images()), expected, rtol=1e-6)
    np.testing.assert_array_equal(Classifier(str(renamed)).probabilities(_images()), expected)


def test_a_corrupt_image_leaves_the_others(model: Path) -> None:
    quick = quick_classifier(model)
    assert quick is not None
    first, *others = _images()
    black, corrupt, gray, white = quick.probabilities_of_each([first, first[:-20], *others])
    assert corrupt == "is a truncated or corrupt file"
    np.testing.assert_allclose([black, gray, white], [[0, 1], [0.2, 0.8], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("damaged", ["saved_model.pb", LABELS])
def test_a_damaged_model_is_left_to_the_classifier(model: Path, damaged: str) -> None:
    (model / damaged).write_bytes(b"damaged")
    assert quick_classifier(model) is None


def test_labels_of_another_model_are_refused(model: Path) -> None:
    (model / LABELS).write_text(json.dumps(["only one"]))
    quick = quick_classifier(model)
    assert quick is not None
    with pytest.raises(BadInput, match=r"labels\.json: has 1 labels, and the model 2"):
        quick.probabilities(_images())
