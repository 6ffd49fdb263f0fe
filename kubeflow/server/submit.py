"""submit: starts a run of a package on Kubeflow Pipelines. Also schedule, upload, list_runs and stop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.package.backend_rules import arguments, check_package
from efficientmixnet.kubeflow.package.compile import service_account_of
from efficientmixnet.kubeflow.package.read_package import read_package
from efficientmixnet.kubeflow.server.connection import Connection
from efficientmixnet.kubeflow.server.server_version import retry_note
from efficientmixnet.modules.exceptions import BadInput


@dataclass(frozen=True)
class Submission:
    """A package to run, and the run's settings.

    Args:
        package: The file that `kubeflow compile` wrote.
        parameters: Values for the package's parameters.
        experiment: The experiment's name. It is created if it does not exist.
        name: The run's name. By default the package's name and the time.
        pipeline_root: Replaces the package's pipeline root.
        service_account: Replaces the package's service account.
        cache: False runs every task, also those whose results are in the cache.
    """

    package: Path
    parameters: Mapping[str, Any]
    experiment: str
    name: str | None = None
    pipeline_root: str | None = None
    service_account: str | None = None
    cache: bool = True


def submit(connection: Connection, submission: Submission) -> tuple[str, str | None]:
    """Starts a run.

    Returns:
        The run's id, and a note on the server's retries if there is something to know.

    Raises:
        BadInput: The server would refuse the package or its parameters.
        ServerFailed: A request failed.
    """
    options = _options(submission)
    with connection.client() as client:
        experiment = client.create_experiment(submission.experiment, namespace=connection.namespace)
        run = client.run_pipeline(experiment.experiment_id, _name(submission), **options)
        note = retry_note(client)
    return str(run.run_id), note


def schedule(connection: Connection, submission: Submission, cron: str) -> str:
    """Creates a schedule of runs, one at a time.

    Args:
        connection: The server.
        submission: What each run runs.
        cron: A cron expression with six fields, seconds first: `0 0 6 * * *` is every day at six.

    Returns:
        The schedule's id.

    Raises:
        BadInput: The expression does not have six fields, or the server would refuse the package.
        ServerFailed: A request failed.
    """
    if len(cron.split()) != 6:
        raise BadInput(f"--cron {cron!r}: give six fields, seconds first, such as '0 0 6 * * *' for every day at six")
    options = _options(submission)
    with connection.client() as client:
        experiment = client.create_experiment(submission.experiment, namespace=connection.namespace)
        made = client.create_recurring_run(
            experiment.experiment_id, _name(submission), cron_expression=cron, max_concurrency=1, **options
        )
    return str(made.recurring_run_id)


def upload(connection: Connection, package: Path) -> tuple[str, str]:
    """Uploads the package as a new version of the pipeline of its name.

    Returns:
        The ids of the pipeline and of the version.
    """
    documents = read_package(package)
    check_package(documents[0])
    name = documents[0]["pipelineInfo"]["name"]
    with connection.client() as client:
        known = client.get_pipeline_id(name)
        if known is None:
            made = client.upload_pipeline(str(package), pipeline_name=name)
            version = client.list_pipeline_versions(made.pipeline_id, page_size=1).pipeline_versions[0]
            return str(made.pipeline_id), str(version.pipeline_version_id)
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        version = client.upload_pipeline_version(
            str(package), pipeline_version_name=f"{name}-{stamp}", pipeline_id=known
        )
        return str(known), str(version.pipeline_version_id)


def list_runs(connection: Connection, experiment: str | None, count: int) -> list[tuple[str, str, str, str]]:
    """Returns the id, name, state and start time of the latest runs."""
    with connection.client() as client:
        where = client.get_experiment(experiment_name=experiment).experiment_id if experiment else None
        found = client.list_runs(
            page_size=count, sort_by="created_at desc", experiment_id=where, namespace=connection.namespace
        )
    return [
        (str(run.run_id), str(run.display_name), str(run.state), f"{run.created_at:%Y-%m-%d %H:%M}")
        for run in found.runs or []
    ]


def stop(connection: Connection, run_id: str) -> None:
    """Stops the run. The results of its finished tasks stay in the cache."""
    with connection.client() as client:
        client.terminate_run(run_id)


def _options(submission: Submission) -> dict[str, Any]:
    spec = read_package(submission.package)[0]
    check_package(spec)
    arguments(spec, submission.parameters)
    return {
        "pipeline_package_path": str(submission.package),
        "params": dict(submission.parameters),
        "pipeline_root": submission.pipeline_root or spec.get("defaultPipelineRoot"),
        # True would also cache the tasks that must run every time, such as DataVersion.
        "enable_caching": None if submission.cache else False,
        "service_account": submission.service_account or service_account_of(submission.package),
    }


def _name(submission: Submission) -> str:
    return submission.name or f"{submission.package.stem} {datetime.now():%Y-%m-%d %H-%M-%S}"
