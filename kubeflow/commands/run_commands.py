"""The commands submit, watch, runs and stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from efficientmixnet.kubeflow.commands.end_with import end_with
from efficientmixnet.kubeflow.commands.server_options import server_options
from efficientmixnet.modules.exceptions import BadInput, RunFailed
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret
from efficientmixnet.pipeline.terminal import echo, echo_error

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.server.connection import Connection


@click.command()
@click.argument("package", type=LocalPath(dir_okay=False, path_type=Path))
@click.option("--experiment", default="efficientmixnet", show_default=True, help="The run's experiment.")
@click.option("--run-name", help="The run's name.  [default: the package's name and the time]")
@click.option("--param", "parameters", metavar="NAME=VALUE", multiple=True, help="Set a parameter of the package.")
@click.option("--pipeline-root", metavar="URI", help="Replace the package's pipeline root.")
@click.option("--service-account", help="The service account of the run's pods.")
@click.option("--no-cache", is_flag=True, help="Run every task, also those with results in the cache.")
@click.option("--upload", "upload_too", is_flag=True, help="Also upload the package as a new pipeline version.")
@click.option("--cron", help="Create a schedule. Seconds come first: '0 0 6 * * *' is every day at six.")
@click.option("--watch", "follow", is_flag=True, help="Show the tasks until the run ends.")
@server_options
def submit(
    connection: "Connection",
    package: Path,
    experiment: str,
    run_name: str | None,
    parameters: tuple[str, ...],
    pipeline_root: str | None,
    service_account: str | None,
    no_cache: bool,
    upload_too: bool,
    cron: str | None,
    follow: bool,
) -> None:
    """Run PACKAGE on Kubeflow Pipelines.

    With --watch the exit code is 0 if the model is blessed, 3 if it is not, and 1 if the run fails.
    """
    from efficientmixnet.kubeflow.package.backend_rules import parse_argument
    from efficientmixnet.kubeflow.package.read_package import read_package
    from efficientmixnet.kubeflow.server import submit as server

    refuse_secret("--pipeline-root", pipeline_root)
    if cron and follow:
        raise BadInput("--watch: a schedule cannot be watched; leave out --watch or --cron")
    documents = read_package(package)
    given = dict(parse_argument(one, documents[0]) for one in parameters)
    submission = server.Submission(package, given, experiment, run_name, pipeline_root, service_account, not no_cache)
    with _interruption("the server may have got the request; look with `efficientmixnet kubeflow runs`"):
        if upload_too:
            pipeline, version = server.upload(connection, package)
            echo(f"pipeline {pipeline}, version {version}")
        if cron:
            echo(f"schedule {server.schedule(connection, submission, cron)}")
            return
        run_id, note = server.submit(connection, submission)
    echo(f"run {run_id}" + (f"  {connection.endpoint}/#/runs/details/{run_id}" if connection.endpoint else ""))
    if note:
        echo(f"note: {note}", err=True, color="yellow")
    if follow:
        _follow(connection, run_id)


@click.command()
@click.option("--experiment", help="List only the runs of this experiment.")
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many runs to list.")
@server_options
def runs(connection: "Connection", experiment: str | None, count: int) -> None:
    """List the latest runs, with the verdict and the accuracy of those that succeeded."""
    from efficientmixnet.kubeflow.server.submit import list_runs
    from efficientmixnet.kubeflow.server.watch import verdict

    for run_id, name, state, started in list_runs(connection, experiment, count):
        found = verdict(connection, run_id) if state == "SUCCEEDED" else ""
        echo(f"{run_id}  {state:<10} {started}  {found:<20}  {name}")


@click.command()
@click.argument("run_id")
@server_options
def watch(connection: "Connection", run_id: str) -> None:
    """Show a run's tasks until the run ends.

    The exit code is 0 if the model is blessed, 3 if it is not, and 1 if the run fails.
    """
    _follow(connection, run_id)


@click.command()
@click.argument("run_id")
@server_options
def stop(connection: "Connection", run_id: str) -> None:
    """Stop a run. A new run takes the finished tasks from the cache."""
    from efficientmixnet.kubeflow.server.submit import stop as end

    end(connection, run_id)
    echo(f"stopping run {run_id}")


def _follow(connection: "Connection", run_id: str) -> None:
    from efficientmixnet.kubeflow.server import watch as server

    with _interruption(f"the run goes on; follow it with `efficientmixnet kubeflow watch {run_id}`"):
        run = server.watch(connection, run_id, lambda task: echo(str(task)))
    if run.state != "SUCCEEDED":
        for line in server.failures(connection, run):
            echo_error(line)
        raise RunFailed(f"run {run_id} {run.state.lower()}")
    result = server.result(connection, run)
    echo(f"run {run_id} succeeded")
    if result:
        end_with(result)


@contextmanager
def _interruption(how_to_continue: str) -> Iterator[None]:
    """Replaces the advice to run the command again, which would start a second run."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how_to_continue) from None


COMMANDS = (submit, watch, runs, stop)
