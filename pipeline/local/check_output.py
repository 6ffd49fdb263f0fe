"""check_output: refuses an output folder that would hide images, before anything is written to it."""

from pathlib import Path

from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.components.image_example_gen.skipped import is_output
from efficientmixnet.modules.exceptions import BadInput


def check_output(output: Path, images: str, key: str = "output") -> None:
    """Checks the output folder. Below the folder of the images, it is skipped when images are listed.

    Args:
        output: The output folder. It need not exist.
        images: The folder of the images, which may be a URL.
        key: The key or the option that names the output folder.

    Raises:
        BadInput: The output folder is that of the images, or a folder below it with other files.
    """
    if is_remote(images):
        return
    folder, data = output.resolve(), Path(images).resolve()
    if folder == data:
        raise BadInput(f"{key}: {output} is the folder of the images (data.images); give another folder")
    if data in folder.parents and folder.is_dir():
        names = frozenset(path.name for path in folder.iterdir()) - {".lock"}
        if names and not is_output(names):
            raise BadInput(f"{key}: {output} is below data.images and holds other files; give a new folder")
