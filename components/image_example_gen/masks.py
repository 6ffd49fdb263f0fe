"""set_masks_aside: finds masks of segmentation in class folders. As images, they would be trained on."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.entry import SUFFIXES, LeftOut
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.split_names import MASKS

_IMAGES = frozenset({"images", "image", "imgs", "img", "jpegimages"})  # folders
_MASK = re.compile(r"(?P<image>.+?)[ _.-](masks?|seg|segmentation|gt|ground_?truth)([ _.-]?\d+)?$", re.IGNORECASE)


def set_masks_aside(files: Iterable[File | LeftOut]) -> tuple[list[File | LeftOut], str]:
    """Leaves out the files that are masks. Returns all files, and a note on the masks, or no text if there are none.

    A mask has the name of an image in the same folder with _mask behind it, as in 1.png and 1_mask.png, or is in a
    folder such as masks beside images. A class of its own, such as mask beside no_mask, is none.

    Args:
        files: The files of a data folder with class folders.
    """
    files = list(files)
    masks = {one.name: one for one in _masks([file for file in files if isinstance(file, File)])}
    if not masks:
        return files, ""
    note = f"{len(masks):,} files are masks of other images and are not used, such as {next(iter(masks))}"
    return [masks.get(file.name, file) for file in files], note


def _masks(files: Iterable[File]) -> Iterator[LeftOut]:
    by_folder: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
    for file in files:
        path = PurePosixPath(file.name)
        by_folder[path.parent].append(path)
    folders = {folder for parent in by_folder for folder in (parent, *parent.parents)}
    beside_images = {folder.parent for folder in folders if folder.name.casefold() in _IMAGES}
    of_masks = {folder for folder in folders if folder.name.casefold() in MASKS and folder.parent in beside_images}
    for parent, paths in by_folder.items():
        if not of_masks.isdisjoint((parent, *parent.parents)):
            yield from (LeftOut(str(path), "is in a folder of masks beside one of images", False) for path in paths)
            continue
        images = {path.stem for path in paths if path.suffix.lower() in SUFFIXES}
        for path in paths:
            if (found := _MASK.match(path.stem)) and found["image"] in images:
                yield LeftOut(str(path), "is a mask of the image beside it", counts=False)
