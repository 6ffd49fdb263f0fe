"""list_schedules, and pause, resume and remove: the schedules that `submit --cron` has created."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from efficientmixnet.kubeflow.server.connection import Connection

_COUNT = 200  # schedules in one answer


@dataclass(frozen=True)
class Schedule:
    """A schedule of runs.

    Args:
        id: Its id.
        name: Its name.
        state: enabled or disabled.
        cron: The cron expression, seconds first; empty for a schedule with an interval.
    """

    id: str
    name: str
    state: str
    cron: str


def list_schedules(connection: Connection, experiment: str | None) -> list[Schedule]:
    """Returns the schedules, the newest first.

    Args:
        connection: The server.
        experiment: The experiment's name. None for all.

    Raises:
        ServerFailed: A request failed.
    """
    found: list[Any] = []
    token: str | None = ""
    with connection.client() as client:
        where = client.get_experiment(experiment_name=experiment).experiment_id if experiment else None
        while token is not None:
            page = client.list_recurring_runs(
                token, _COUNT, "created_at desc", experiment_id=where, namespace=connection.namespace
            )
            found += page.recurring_runs or []
            token = page.next_page_token or None
    return [
        Schedule(
            str(one.recurring_run_id),
            str(one.display_name),
            str(one.status or one.mode or "unknown").lower(),
            _cron(one.trigger),
        )
        for one in found
    ]


_CHANGES: Mapping[str, Callable[[Any], Callable[[str], Any]]] = {
    "pause": lambda client: client.disable_recurring_run,
    "resume": lambda client: client.enable_recurring_run,
    "remove": lambda client: client.delete_recurring_run,
}


def change(connection: Connection, schedule: str, how: str) -> None:
    """Changes a schedule. Its runs stay.

    Args:
        connection: The server.
        schedule: Its id.
        how: pause, resume or remove.

    Raises:
        ServerFailed: There is no such schedule, or the request failed.
    """
    with connection.client() as client:
        _CHANGES[how](client)(schedule)


def _cron(trigger: Any) -> str:
    return str((trigger and trigger.cron_schedule and trigger.cron_schedule.cron) or "")
