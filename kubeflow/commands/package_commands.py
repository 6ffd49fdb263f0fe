"""The commands compile, search and rehearse, which need no server."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from efficientmixnet.kubeflow.commands.end_with import end_with
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.commands.local_path import LocalPath
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret
from efficientmixnet.pipeline.terminal import echo

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.package.requirements import Target


_image = click.option("--image", help="The container image, built by `make image`.  [kubeflow.image]")


@click.command("compile")
@click.argument("config")
@_image
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
    announce("reading the configuration")
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


@click.command()
@click.argument("config")
@_image
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


@click.command()
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
        end_with(result)


def _report(task: str, state: str, seconds: float) -> None:
    echo(f"{task:<17} {state:<10} {seconds:7.1f} s")


COMMANDS = (compile_, search, rehearse)
