"""memory_cache: whether a training keeps its decoded images in memory, by their measured size."""

from pathlib import Path
from typing import Literal

from efficientmixnet.modules.data.batches import Records

Cache = Literal["auto", "never", "always"]

_SHARE = 0.25  # of the free memory
_CGROUP = Path("/sys/fs/cgroup")  # where a container's limit stands


def keeps_in_memory(cache: Cache, epochs: int, *records: Records) -> bool:
    """Whether the records' decoded images stay in memory from the first epoch on."""
    if cache != "auto":
        return cache == "always"
    return epochs > 1 and sum(one.decoded_bytes() for one in records) <= _SHARE * free_memory()


def free_memory() -> int:
    """Bytes that this process may still take, by the machine and by its container; 0 where neither tells."""
    free = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        limit, used = ((_CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        free += [int(limit) - int(used)] if limit != "max" else []
    except OSError:
        pass
    return min(free, default=0)
