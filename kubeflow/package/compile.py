"""compile_package and write_package: turn a configuration into the package that Kubeflow Pipelines runs."""

import os
import warnings
from pathlib import Path
from typing import Any

import yaml

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.kubeflow.package.requirements import Target, check, sees_images
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import whole_file
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.resolve import resolve

_SERVICE_ACCOUNT = "# service account: "


def compile_package(config: Config, target: Target) -> list[dict[str, Any]]:
    """Compiles a configuration.

    Args:
        config: The configuration of a run.
        target: oss for open-source Kubeflow Pipelines, vertex for Vertex AI.

    Returns:
        The package's documents: the PipelineSpec, and for oss a platform document.

    Raises:
        BadInput: The cluster could not run the pipeline.
    """
    check(config, target)
    if sees_images(config):
        data = config.data
        sources = find_dataset(
            data.images, data.manifest, data.splitting, data.layout, data.max_image_bytes, data.corrections
        )
        config = resolve(config, sources)
    config = _with_s3(config)
    announce("loading TFX and Kubeflow's compiler")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from efficientmixnet.kubeflow.package.cluster_pipeline import cluster_pipeline
        from efficientmixnet.kubeflow.package.package import package

        return package(cluster_pipeline(config), config.kubeflow, target)


def write_package(documents: list[dict[str, Any]], file: Path, service_account: str | None = None) -> None:
    """Writes the documents into one YAML file, completely or not at all.

    Args:
        documents: The documents, from compile_package.
        file: The file, whose name must end with .yaml or .yml.
        service_account: The pods' service account. A package has no field for it, so it goes into a comment, which
            `submit` reads.

    Raises:
        BadInput: The file's name has another ending, or the file cannot be written.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise BadInput(f"{file}: the name of a package must end with .yaml or .yml")
    try:
        with whole_file(file, encoding="utf-8") as out:
            out.write(f"{_SERVICE_ACCOUNT}{service_account}\n" if service_account else "")
            yaml.safe_dump_all(documents, out, sort_keys=True, width=120)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from None


def service_account_of(package: Path) -> str | None:
    """Returns the service account in the package's comment, or None."""
    with package.open(encoding="utf-8") as file:
        first = file.readline()
    return first.removeprefix(_SERVICE_ACCOUNT).strip() if first.startswith(_SERVICE_ACCOUNT) else None


def _with_s3(config: Config) -> Config:
    """Replaces minio:// in the images' URIs, which only Kubeflow Pipelines knows, by s3://, which Beam reads."""
    changed = {
        key: value.replace("minio://", "s3://", 1)
        for key in ("images", "manifest", "corrections")
        if (value := getattr(config.data, key)) and value.startswith("minio://")
    }
    return config.model_copy(update={"data": config.data.model_copy(update=changed)})
