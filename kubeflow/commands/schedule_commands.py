"""The commands schedules list, pause, resume and remove."""

from typing import TYPE_CHECKING

import click

from efficientmixnet.kubeflow.commands.server_options import server_options
from efficientmixnet.pipeline.commands.one_line_errors import OneLineErrors
from efficientmixnet.pipeline.terminal import echo

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.server.connection import Connection


@click.group(cls=OneLineErrors)
def schedules() -> None:
    """List, pause, resume and remove schedules. `submit --cron` creates one."""


@schedules.command("list")
@click.option("--experiment", help="List only the schedules of this experiment.")
@server_options
def list_(connection: "Connection", experiment: str | None) -> None:
    """List all schedules."""
    from efficientmixnet.kubeflow.server.schedules import list_schedules

    for one in list_schedules(connection, experiment):
        echo(f"{one.id}  {one.state:<8}  {one.cron:<20}  {one.name}")


def _schedule_command(how: str, done: str, text: str) -> None:
    """Adds a command that changes a schedule."""

    @schedules.command(how, help=text)
    @click.argument("schedule_id")
    @server_options
    def command(connection: "Connection", schedule_id: str) -> None:
        from efficientmixnet.kubeflow.server.schedules import change

        change(connection, schedule_id, how)
        echo(f"{done} schedule {schedule_id}")


_schedule_command("pause", "paused", "Start no more runs until the schedule is resumed.")
_schedule_command("resume", "resumed", "Start runs again.")
_schedule_command("remove", "removed", "Delete a schedule. Its runs stay.")
