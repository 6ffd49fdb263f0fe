"""one_line_in_a_pod: ends a program of a pod with one line and an exit code, whatever is raised."""

import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from efficientmixnet.modules.exceptions import BadInput, EfficientMixNetError
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory
from efficientmixnet.modules.failures.unexpected import one_line
from efficientmixnet.modules.text.printable import printable

_EXIT_TERMINATED = 128 + signal.SIGTERM  # operators restart the pod


@contextmanager
def one_line_in_a_pod() -> Iterator[None]:
    """Ends the process when the body raises an exception.

    The last line of the pod's log says what happened. The traceback of an unexpected exception comes before it, because
    files in a pod are lost with the pod.
    """
    try:
        yield
    except EfficientMixNetError as error:
        print(printable(f"error: {error}", keep="\n"), file=sys.stderr)
        for name, reason in error.left_out if isinstance(error, BadInput) else ():
            print(printable(f"  left out: {name} {reason}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted: the task starts again if it has retries, or in the next run", file=sys.stderr)
        sys.exit(_EXIT_TERMINATED)
    except Exception as error:
        if is_out_of_memory(error):
            sys.exit("error: out of memory; raise the memory of this component's pod, such as kubeflow.trainer.memory")
        print(printable("".join(traceback.format_exception(error)), keep="\n"), file=sys.stderr)
        print(f"error: unexpected {one_line(error)}; please report it with this log", file=sys.stderr)
        sys.exit(1)
