"""OneLineErrors: a group of commands, each of which ends with one line and an exit code, whatever is raised."""

import io
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from efficientmixnet.modules.exceptions import BadInput, EfficientMixNetError
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory
from efficientmixnet.modules.failures.refused_by_system import refused_by_system
from efficientmixnet.modules.failures.unexpected import explain_unexpected
from efficientmixnet.pipeline.memory_advice import out_of_memory
from efficientmixnet.pipeline.stop_signals import EXIT_INTERRUPTED, StopSignals
from efficientmixnet.pipeline.terminal import echo, echo_error

_CONTINUE = "run the command again to continue"
_VERBOSE = "efficientmixnet.verbose"  # in click's context


def remember_verbose(context: click.Context, _: click.Parameter, verbose: bool) -> bool:
    """A callback for the option --verbose."""
    context.meta[_VERBOSE] = verbose
    return verbose


class OneLineErrors(click.Group):
    """A group that prints each exception as one line. All of its commands have the option --verbose."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds a command, and the option --verbose to it."""
        if not isinstance(cmd, click.Group) and all(option.name != "verbose" for option in cmd.params):
            cmd.params.append(
                click.Option(
                    ["-v", "--verbose"],
                    is_flag=True,
                    expose_value=False,
                    callback=remember_verbose,
                    help="Print the traceback of an error too.",
                )
            )
        super().add_command(cmd, name)

    def invoke(self, context: click.Context) -> Any:
        """Runs the command. Only the outermost group ends the process."""
        if context.parent:
            return super().invoke(context)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a name may not be UTF-8
        with _one_line(context), StopSignals():
            return super().invoke(context)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Reads the arguments and runs the command."""
        with _one_line(None):
            return super().main(*args, **kwargs)


@contextmanager
def _one_line(context: click.Context | None) -> Iterator[None]:
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise  # click prints its own
    except EfficientMixNetError as error:
        _end(context, error, f"error: {error}", error.exit_code)
    except KeyboardInterrupt as interrupt:
        echo_error(f"interrupted: {str(interrupt) or _CONTINUE}", color="yellow")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError as error:
        if _nobody_reads():
            raise  # click ends the process without a message, as for `efficientmixnet runs OUTPUT | head -1`
        _end(context, error, f"error: {explain_unexpected(error)}", 1)
    except Exception as error:
        if refused := refused_by_system(error):
            _end(context, error, f"error: {refused}", BadInput.exit_code)
        full = is_out_of_memory(error)
        reason = out_of_memory(context.invoked_subcommand if context else None) if full else explain_unexpected(error)
        _end(context, error, f"error: {reason}", 1)


def _end(context: click.Context | None, error: Exception, line: str, code: int) -> None:
    if context and context.meta.get(_VERBOSE):
        for each in "".join(traceback.format_exception(error)).splitlines():
            echo(each, err=True)
    echo_error(line)
    sys.exit(code)


def _nobody_reads() -> bool:
    """Whether standard output is a pipe whose other end is closed."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
