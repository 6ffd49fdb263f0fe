"""out_of_memory: the line for a full memory. It names the stage and the keys that lower its use of memory."""

from collections.abc import Mapping

from efficientmixnet.modules.exceptions import OutOfMemory

_MORE = "give the process more memory"
_IMAGES = "lower data.max_pixels, so that large images are left out"
_TRAINING = "lower training.batch_size, set training.cache: never"

# By component or command. What is not listed has no key that would help.
_CURES: Mapping[str, str] = {
    "ImageExampleGen": _IMAGES,
    "Transform": f"lower beam.workers, {_IMAGES}",
    "Tuner": f"lower search.workers, {_TRAINING}",
    "Trainer": _TRAINING,
    "Evaluator": _IMAGES,
    "ServingCheck": _IMAGES,
    "Report": _IMAGES,
    "inspect": "lower data.max_pixels with --set data.max_pixels=NUMBER",
}


def out_of_memory(place: str | None) -> OutOfMemory:
    """Returns the error for a full memory.

    Args:
        place: The name of the component, or of the command.
    """
    cure = f"{_CURES[place]}, or {_MORE}" if place and place in _CURES else _MORE
    where = f" in {place}" if place else ""
    return OutOfMemory(f"out of memory{where}: {cure}; then run the command again to continue")
