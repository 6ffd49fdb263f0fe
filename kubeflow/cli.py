"""The command line: efficientmixnet kubeflow compile, search, rehearse, submit, watch, runs, schedules, stop.

Each command imports TFX and kfp in its function, so that --help and errors are fast.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from efficientmixnet.modules.exceptions import BadInput, RunFailed
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.cli import EXIT_NOT_BLESSED
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.commands.numbers import Number
from efficientmixnet.pipeline.commands.one_line_errors import OneLineErrors
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret
from efficientmixnet.pipeline.terminal import echo, echo_error

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.package.requirements import Target
    from efficientmixnet.kubeflow.run_result import RunResult
    from efficientmixnet.kubeflow.server.connection import Connection


@click.group(cls=OneLineErrors)
def kubeflow() -> None:
    """Run a configuration on Kubeflow Pipelines."""


@kubeflow.command("compile")
@click.argument("config")
@click.option("--image", help="The container image, built by `make image`.  [kubeflow.image]")
@click.option(
    "--pipeline-root", metavar="URI", help="The folder for artifacts: minio://bucket/folder.  [kubeflow.pipeline_root]"
)
@click.option(
    "-o",
    "--output",
    default="pipeline.yaml",
    show_default=True,
    type=LocalPath(dir_okay=False, path_type=Path),
    help="The package to write.",
)
@click.option(
    "--target",
    default="oss",
    show_default=True,
    type=click.Choice(["oss", "vertex"]),
    help="oss is open-source Kubeflow Pipelines, vertex is Vertex AI.",
)
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key: kubeflow.cache=false.")
def compile_(
    config: str,
    image: str | None,
    pipeline_root: str | None,
    output: Path,
    target: "Target",
    overrides: tuple[str, ...],
) -> None:
    """Compile CONFIG (YAML) into a package for a cluster."""
    from efficientmixnet.kubeflow.package.compile import compile_package, write_package
    from efficientmixnet.kubeflow.package.requirements import notes
    from efficientmixnet.pipeline.config.config import load_config

    given = {"kubeflow.image": image, "kubeflow.pipeline_root": pipeline_root}
    checked = load_config(config, [*overrides, *(f"{key}={value}" for key, value in given.items() if value)])
    documents = compile_package(checked, target)
    for note in notes(checked):
        echo(f"note: {note}", err=True, color="yellow")
    write_package(documents, output, checked.kubeflow.service_account)
    tasks: dict[str, Any] = documents[0]["root"]["dag"]["tasks"]
    echo(f"{output}: {len(tasks)} tasks; run it with `efficientmixnet kubeflow submit {output}`")


@kubeflow.command()
@click.argument("config")
@click.option("--image", help="The container image, built by `make image`.  [kubeflow.image]")
@click.option(
    "--transformed",
    required=True,
    metavar="URI",
    help="The output folder of a run's Transform, with transformed_examples and transform_graph.",
)
@click.option(
    "-o",
    "--output",
    default="experiment.yaml",
    show_default=True,
    type=LocalPath(dir_okay=False, path_type=Path),
    help="The experiment to write.",
)
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key: search.trials=50.")
def search(config: str, image: str | None, transformed: str, output: Path, overrides: tuple[str, ...]) -> None:
    """Write the search of CONFIG (YAML) as a Katib Experiment."""
    import yaml

    from efficientmixnet.kubeflow.katib.experiment import experiment
    from efficientmixnet.pipeline.config.config import load_config

    refuse_secret("--transformed", transformed)
    checked = load_config(config, [*overrides, *([f"kubeflow.image={image}"] if image else [])])
    text = yaml.safe_dump(experiment(checked, transformed), sort_keys=False, width=120)
    try:
        write_text(output, text)
    except OSError as error:
        raise BadInput(f"{output}: cannot be written: {error.strerror}") from None
    echo(f"{output}: {checked.search.trials} trials; run them with `kubectl create -f {output} -n NAMESPACE`")


@kubeflow.command()
@click.argument("package", type=LocalPath(dir_okay=False, path_type=Path))
@click.option(
    "--output",
    default="rehearsal",
    show_default=True,
    type=LocalPath(file_okay=False, path_type=Path),
    help="The folder for artifacts, logs and the cache.",
)
@click.option("--param", "parameters", metavar="NAME=VALUE", multiple=True, help="Set a parameter of the package.")
@click.option(
    "--server-defaults",
    type=click.Choice(["2.5", "2.17"]),
    default="2.5",
    show_default=True,
    help="Retry as a server of this version does with its own manifests.",
)
def rehearse(package: Path, output: Path, parameters: tuple[str, ...], server_defaults: str) -> None:
    """Run PACKAGE on this machine, each task as in a cluster.

    Artifacts go to the object store at AWS_ENDPOINT_URL. If that is not set, they go to a folder in --output.
    """
    import os

    from efficientmixnet.kubeflow.package.backend_rules import arguments, parse_argument
    from efficientmixnet.kubeflow.package.read_package import read_package
    from efficientmixnet.kubeflow.rehearsal.drawn_artifacts import drawn
    from efficientmixnet.kubeflow.rehearsal.rehearsal import Rehearsal

    documents = read_package(package)
    given = dict(parse_argument(one, documents[0]) for one in parameters)
    if not os.environ.get("AWS_ENDPOINT_URL"):
        given.setdefault("pushed", str(output.resolve() / "pushed"))
    rehearsal = Rehearsal(
        documents, output.resolve(), arguments(documents[0], given), _report, server_defaults == "2.17"
    )
    announce("running the first task")
    rehearsal.run()
    for line in drawn(rehearsal):
        echo(line)
    echo(f"logs: {rehearsal.folder}/runs/{rehearsal.run_id}")
    if result := rehearsal.result():
        _end_with(result)


def _report(task: str, state: str, seconds: float) -> None:
    echo(f"{task:<17} {state:<10} {seconds:7.1f} s")


def _server(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say where the server is. The command gets a Connection as its first argument."""

    @functools.wraps(command)
    def connected(
        endpoint: str | None,
        namespace: str | None,
        token: str | None,
        cookie: str | None,
        service_account_token: bool,
        ca_certificate: str | None,
        timeout: float,
        **options: Any,
    ) -> None:
        from efficientmixnet.kubeflow.server.connection import Connection

        refuse_secret("--endpoint", endpoint)
        announce("connecting to Kubeflow Pipelines")
        connection = Connection(endpoint, namespace, token, cookie, service_account_token, ca_certificate, timeout)
        command(connection, **options)

    for option in (
        click.option(
            "--timeout",
            default=30.0,
            show_default=True,
            type=Number(0.1, 86400),
            help="Seconds to wait for one answer.",
        ),
        click.option("--ca-certificate", metavar="FILE", help="The certificate of the server's authority."),
        click.option("--service-account-token", is_flag=True, help="In a pod: send the pod's own token."),
        click.option("--cookie", envvar="KFP_COOKIE", help="The cookie of a browser session.  [KFP_COOKIE]"),
        click.option("--token", envvar="KFP_TOKEN", help="A bearer token.  [KFP_TOKEN]"),
        click.option("--namespace", help="The user's namespace on a multi-user server."),
        click.option(
            "--endpoint",
            envvar="KF_PIPELINES_ENDPOINT",
            metavar="URL",
            help="The address of Kubeflow Pipelines.  [KF_PIPELINES_ENDPOINT]",
        ),
    ):
        connected = option(connected)
    return connected


@kubeflow.command()
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
@_server
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


@kubeflow.command()
@click.option("--experiment", help="List only the runs of this experiment.")
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many runs to list.")
@_server
def runs(connection: "Connection", experiment: str | None, count: int) -> None:
    """List the latest runs, with the verdict and the accuracy of those that succeeded."""
    from efficientmixnet.kubeflow.server.submit import list_runs
    from efficientmixnet.kubeflow.server.watch import verdict

    for run_id, name, state, started in list_runs(connection, experiment, count):
        found = verdict(connection, run_id) if state == "SUCCEEDED" else ""
        echo(f"{run_id}  {state:<10} {started}  {found:<20}  {name}")


@kubeflow.group(cls=OneLineErrors)
def schedules() -> None:
    """List, pause, resume and remove schedules. `submit --cron` creates one."""


@schedules.command("list")
@click.option("--experiment", help="List only the schedules of this experiment.")
@_server
def list_(connection: "Connection", experiment: str | None) -> None:
    """List all schedules."""
    from efficientmixnet.kubeflow.server.schedules import list_schedules

    for one in list_schedules(connection, experiment):
        echo(f"{one.id}  {one.state:<8}  {one.cron:<20}  {one.name}")


def _schedule_command(how: str, done: str, text: str) -> None:
    """Adds a command that changes a schedule."""

    @schedules.command(how, help=text)
    @click.argument("schedule_id")
    @_server
    def command(connection: "Connection", schedule_id: str) -> None:
        from efficientmixnet.kubeflow.server.schedules import change

        change(connection, schedule_id, how)
        echo(f"{done} schedule {schedule_id}")


_schedule_command("pause", "paused", "Start no more runs until the schedule is resumed.")
_schedule_command("resume", "resumed", "Start runs again.")
_schedule_command("remove", "removed", "Delete a schedule. Its runs stay.")


@kubeflow.command()
@click.argument("run_id")
@_server
def watch(connection: "Connection", run_id: str) -> None:
    """Show a run's tasks until the run ends.

    The exit code is 0 if the model is blessed, 3 if it is not, and 1 if the run fails.
    """
    _follow(connection, run_id)


@kubeflow.command()
@click.argument("run_id")
@_server
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
        _end_with(result)


def _end_with(result: "RunResult") -> None:
    """Prints the result, and ends with the exit code of a local run."""
    echo("")
    for name, value in result.rows():
        echo(f"{name:<13} {value}")
    if not result.blessed:
        sys.exit(EXIT_NOT_BLESSED)


@contextmanager
def _interruption(how_to_continue: str) -> Iterator[None]:
    """Replaces the advice to run the command again, which would start a second run."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how_to_continue) from None
