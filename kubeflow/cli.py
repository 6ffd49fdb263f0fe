"""The command line: efficientmixnet kubeflow compile, search, rehearse, submit, watch, runs, schedules, stop.

Each command imports TFX and kfp in its function, so that --help and errors are fast.
"""

import click

from efficientmixnet.kubeflow.commands import package_commands, run_commands
from efficientmixnet.kubeflow.commands.schedule_commands import schedules
from efficientmixnet.pipeline.commands.one_line_errors import OneLineErrors


@click.group(cls=OneLineErrors)
def kubeflow() -> None:
    """Run a configuration on Kubeflow Pipelines."""


for _command in (*package_commands.COMMANDS, *run_commands.COMMANDS, schedules):
    kubeflow.add_command(_command)
