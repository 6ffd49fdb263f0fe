"""set_masks_aside: finds masks of segmentation in class folders. As images, they would be trained on."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.components.image_example_gen.split_names import MASKS

_IMAGES = frozenset({"images", "image", "imgs", "img", "jpegimages"})  # folders
_MASK = re.compile(r"(?P<image>.+?)[ _.-](masks?|seg|segmentation|gt|ground_?truth)([ _.-]?\d+)?$", re.IGNORECASE)


def set_masks_aside(files: Iterable[File | LeftOut]) -> tuple[list[File | LeftOut], str]:
    """Leaves out the files that are masks. Returns all files, and a note; an empty text if there are no masks.

    A mask has the name of an image in the same folder and the ending _mask, as in 1.png and 1_mask.png, or it is in a
    folder such as masks beside the folder images. The images of a class named mask are no masks.

    Args:
        files: The files of a data folder with class folders.
    """
    files = list(files)
    masks = dict(_masks(file.name for file in files if isinstance(file, File)))
    if not masks:
        return files, ""
    note = f"{len(masks):,} files are masks of other images and are not used, such as {next(iter(masks.values())).name}"
    return [masks.get(file.name, file) for file in files], note


def _masks(names: Iterable[str]) -> Iterator[tuple[str, LeftOut]]:
    """Yields the name of each mask, in which LeftOut masks secrets, and why it is left out."""
    by_folder: dict[PurePosixPath, dict[str, PurePosixPath]] = defaultdict(dict)
    for name in names:
        path = PurePosixPath(name)
        by_folder[path.parent][name] = path
    folders = {folder for parent in by_folder for folder in (parent, *parent.parents)}
    beside_images = {folder.parent for folder in folders if folder.name.casefold() in _IMAGES}
    of_masks = {folder for folder in folders if folder.name.casefold() in MASKS and folder.parent in beside_images}
    for parent, paths in by_folder.items():
        if not of_masks.isdisjoint((parent, *parent.parents)):
            reason = "is in a folder of masks beside one of images"
            yield from ((name, LeftOut(name, reason, counts=False)) for name in paths)
            continue
        images = {path.stem for path in paths.values() if path.suffix.lower() in SUFFIXES}
        for name, path in paths.items():
            if (found := _MASK.match(path.stem)) and found["image"] in images:
                yield name, LeftOut(name, "is a mask of the image beside it", counts=False)
