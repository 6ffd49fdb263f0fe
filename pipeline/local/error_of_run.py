"""error_of_run: the error that a run ends with, for the one that stopped its pipeline."""

import shutil
from pathlib import Path

from efficientmixnet.modules.exceptions import BadInput, EfficientMixNetError, OutOfMemory, RunFailed
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory, log_says_out_of_memory, memory_is_limited
from efficientmixnet.modules.failures.refused_by_system import NO_SPACE, refused_by_system
from efficientmixnet.modules.failures.unexpected import explain_unexpected
from efficientmixnet.pipeline.memory_advice import out_of_memory

_FULL = 2**20  # bytes; with less free space than this, any error is taken for a full disk


def error_of_run(error: BaseException, output: Path, log: Path, ended: str | None) -> BaseException:
    """Returns the error that the command prints for this one.

    Args:
        error: What stopped the pipeline.
        output: The output folder.
        log: The log in the folder of the run. It gets the traceback of an unexpected error.
        ended: The last component that ended, if there is one.
    """
    if not output.is_dir():
        return BadInput(f"output: {output} was moved or deleted during the run; run the command again")
    if shutil.disk_usage(output).free < _FULL or NO_SPACE in str(error):
        return BadInput(
            f"output: the disk of {output} is full; free some space, then run the command again to continue"
        )
    if not isinstance(error, EfficientMixNetError) and (
        is_out_of_memory(error) or (memory_is_limited() and log_says_out_of_memory(log))
    ):
        return out_of_memory(ended or "the import of TFX")
    if isinstance(error, BrokenPipeError):
        return KeyboardInterrupt("nobody reads the output, as after `| head`; run the command again to continue")
    if isinstance(error, OSError) and not log.parent.exists():
        return BadInput(f"output: {output} cannot be written ({error.strerror}); give another folder")
    if isinstance(error, BadInput | OutOfMemory) or not isinstance(error, Exception):
        return error
    if not isinstance(error, EfficientMixNetError) and (refused := refused_by_system(error)):
        return BadInput(refused)
    known = isinstance(error, EfficientMixNetError)
    return RunFailed(f"{error}; the log is {log}" if known else explain_unexpected(error, log))
