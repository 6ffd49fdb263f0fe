"""The command predict: prints the most probable labels of images."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len, set_cell_size

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.modules.text.printable import printable
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.terminal import echo, echo_json

if TYPE_CHECKING:
    from efficientmixnet.pipeline.scoring.image_classifier import ImageClassifier

_FEW = 100  # images, for which it does not pay to optimize the graph
_STDIN = "-"
_WIDEST = 100  # columns of a name or a label, beyond which it is not aligned

Labels = list[tuple[str, float]]


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--top-k",
    "--top",
    "top",
    default=3,
    show_default=True,
    type=click.IntRange(1),
    help="Number of labels to print for each image.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each image.")
def predict(model: str, images: tuple[str, ...], top: int, as_json: bool) -> None:
    """Print the most probable labels of IMAGES.

    MODEL is a pushed model, the folder of pushed models, or the output folder of runs. IMAGES are files, folders with
    images, or - for an image from standard input.
    """
    folder = newest_version(Path(model))  # an error comes before TensorFlow is imported
    names = list(dict.fromkeys(name for image in images for name in _files(image)))
    announce("loading TensorFlow")
    classifier = _load(folder, few=len(names) <= _FEW)
    wide, label_width = _width(names), _width(classifier.labels)
    bad = 0
    for name, found in classifier.classify([sys.stdin.buffer.read() if one == _STDIN else one for one in names], top):
        image = _STDIN if isinstance(name, bytes) else name
        bad += isinstance(found, str)
        if as_json:
            echo_json(_line(image, found))
        elif isinstance(found, str):
            echo(f"{image}: {found}", err=True, color="red")
        else:
            echo(f"{_padded(image, wide)}  {_in_columns(found, label_width)}")
    if bad:
        sys.exit(BadInput.exit_code)


def _load(folder: Path, few: bool) -> "ImageClassifier":
    from efficientmixnet.pipeline.scoring.classifier import Classifier
    from efficientmixnet.pipeline.scoring.import_tensorflow import import_tensorflow
    from efficientmixnet.pipeline.scoring.quick_classifier import quick_classifier

    if few and (quick := quick_classifier(folder)):
        return quick
    import_tensorflow()
    return Classifier(str(folder), optimize=not few)


def _files(image: str) -> list[str]:
    """The images in a folder and its subfolders, or the image itself.

    A subfolder that cannot be listed stands for its images. It cannot be read either, which is printed in their place.
    """
    if image == _STDIN or not os.path.isdir(image):
        return [image]
    announce(f"listing the images of {image}")
    from efficientmixnet.components.image_example_gen.entry import LeftOut
    from efficientmixnet.components.image_example_gen.files import file_may_be_image
    from efficientmixnet.components.image_example_gen.walk import walk

    try:
        found = list(walk(image))
    except OSError as error:
        raise BadInput(f"{image}: cannot be listed: {error.strerror}; give a folder that you can read") from None
    files = (one for one in found if isinstance(one, str))
    names = sorted(one for one in files if file_may_be_image(os.path.join(image, one), one))
    names += [one.name for one in found if isinstance(one, LeftOut) and one.is_folder]
    if not names:
        raise BadInput(f"{image}: has no images; give an image, or a folder with images")
    return [str(Path(image, name)) for name in names]


def _line(image: str, found: Labels | str) -> dict[str, Any]:
    if isinstance(found, str):
        return {"image": image, "error": found}
    labels = [{"label": label, "probability": round(probability, 6)} for label, probability in found]
    return {"image": image, "predictions": labels}


def _in_columns(found: Labels, width: int) -> str:
    return "  ".join(f"{_padded(label, width)} {probability:.4f}" for label, probability in found)


def _width(texts: Iterable[str]) -> int:
    return min(_WIDEST, max((cell_len(printable(text)) for text in texts), default=0))


def _padded(text: str, width: int) -> str:
    shown = printable(text)
    return set_cell_size(shown, width) if cell_len(shown) < width else shown
