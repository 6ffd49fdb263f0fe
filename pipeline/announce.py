"""announce: says what a command does next, so that it is never silent for long."""

from efficientmixnet.pipeline.terminal import echo


def announce(work: str) -> None:
    """Prints a line to standard error.

    Args:
        work: The work that follows, such as "loading TensorFlow".
    """
    echo(f"{work} ...", err=True)
