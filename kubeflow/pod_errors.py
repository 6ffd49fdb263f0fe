"""one_line_in_a_pod: ends a program of a pod with one line and an exit code, whatever is raised."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from efficientmixnet.modules.exceptions import BadInput, EfficientMixNetError
from efficientmixnet.modules.unexpected import one_line, printable

EXIT_INTERRUPTED = 130


@contextmanager
def one_line_in_a_pod() -> Iterator[None]:
    """Ends the process when the body raises an exception.

    The last line of the pod's log says what happened. The traceback of an unexpected exception comes before it, because
    files in a pod are lost with the pod.
    """
    try:
        yield
    except EfficientMixNetError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        for name, reason in error.left_out if isinstance(error, BadInput) else ():
            print(f"  left out: {printable(name)} {reason}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        print(printable("".join(traceback.format_exception(error))), file=sys.stderr)
        print(f"error: unexpected {one_line(error)}; please report it with this log", file=sys.stderr)
        sys.exit(1)
