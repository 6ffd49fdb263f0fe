"""reads_own_files: decides how the workers of a training divide its records."""

from typing import Literal

from efficientmixnet.modules import progress
from efficientmixnet.modules.data.memory_cache import Cache
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.exceptions import BadInput

Sharding = Literal["auto", "files", "records"]


def reads_own_files(sharding: Sharding, workers: int, train: Records, cache: Cache) -> bool:
    """Whether each worker reads its own files, instead of all records, of which it keeps every n-th. Tells which.

    Args:
        sharding: The value of `training.sharding`.
        workers: The number of workers.
        train: The training split.
        cache: The value of `training.cache`. With always, auto reads all records, because they are read only once. The
            free memory does not count, because all workers must decide the same.

    Raises:
        BadInput: There are fewer files than workers.
    """
    if workers == 1:
        return False
    files = len(train.files)
    if sharding == "files" and files < workers:
        raise BadInput(
            f"training.sharding: files: there are fewer files of training images ({files}) than workers ({workers}); "
            "give records, or use fewer workers"
        )
    if sharding == "records":
        own, reason = False, "as training.sharding says"
    elif sharding == "auto" and cache == "always":
        own, reason = False, "because the decoded images stay in memory"
    elif files < workers:
        own, reason = False, f"because there are fewer files ({files}) than workers ({workers})"
    else:
        own, reason = True, f"of the {files} files"
    progress.tell(f"each worker reads its part {reason}" if own else f"each worker reads all records, {reason}")
    return own
