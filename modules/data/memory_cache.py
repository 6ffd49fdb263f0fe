"""keeps_in_memory: decides whether a training keeps its decoded images in memory."""

import os
from pathlib import Path
from typing import Literal

from efficientmixnet.modules.data.records import Records

Cache = Literal["auto", "never", "always"]

TRAININGS_VARIABLE = "EFFICIENTMIXNET_TRAININGS_AT_ONCE"
"""An environment variable: the number of trainings on this machine, which share its memory."""

_FRACTION = 0.25  # of the free memory
_CGROUP = Path("/sys/fs/cgroup")  # with the memory limit of a container


def keeps_in_memory(cache: Cache, epochs: int, *records: Records) -> bool:
    """Whether the decoded images stay in memory after the first epoch.

    Args:
        cache: The value of `training.cache`.
        epochs: The epochs of the training. With one epoch, auto keeps nothing.
        records: The splits.
    """
    if cache == "auto":
        free = free_memory() / int(os.environ.get(TRAININGS_VARIABLE) or 1)
        return epochs > 1 and sum(one.decoded_bytes() for one in records) <= _FRACTION * free
    return {"always": True, "never": False}[cache]


def free_memory() -> int:
    """Returns the free bytes of the machine or of its container, whichever is less; 0: unknown."""
    free = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        limit, used = ((_CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        free += [int(limit) - int(used)] if limit != "max" else []
    except OSError:
        pass
    return min(free, default=0)
