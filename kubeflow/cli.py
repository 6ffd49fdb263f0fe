"""The command line: efficientmixnet kubeflow compile, rehearse, submit, runs, stop.

What needs TFX or kfp imports it when it is called, so that --help and a mistake answer at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from efficientmixnet.kubeflow.requirements import Target


@click.group()
def kubeflow() -> None:
    """The same configuration in a cluster, on Kubeflow Pipelines."""


@kubeflow.command("compile")
@click.argument("config")
@click.option("--image", help="The container image; `make image` builds it.  [kubeflow.image]")
@click.option(
    "--pipeline-root", metavar="URI", help="Where artifacts are kept: minio://bucket/folder.  [kubeflow.pipeline_root]"
)
@click.option(
    "-o", "--output", default="pipeline.yaml", show_default=True, type=click.Path(dir_okay=False, path_type=Path)
)
@click.option("--target", default="oss", show_default=True, type=click.Choice(["oss", "vertex"]))
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a key: kubeflow.cache=false.")
def compile_(
    config: str,
    image: str | None,
    pipeline_root: str | None,
    output: Path,
    target: "Target",
    overrides: tuple[str, ...],
) -> None:
    """Write the package of CONFIG (YAML) for a cluster."""
    from efficientmixnet.kubeflow.compile import compile_package, write_package
    from efficientmixnet.pipeline.config import load_config

    given = {"kubeflow.image": image, "kubeflow.pipeline_root": pipeline_root}
    checked = load_config(config, [*overrides, *(f"{key}={value}" for key, value in given.items() if value)])
    documents = compile_package(checked, target)
    write_package(documents, output)
    tasks: dict[str, Any] = documents[0]["root"]["dag"]["tasks"]
    click.echo(f"{output}: {len(tasks)} tasks; `efficientmixnet kubeflow submit {output}` runs it")
