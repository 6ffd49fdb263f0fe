"""compile: a configuration becomes a file that `kubeflow submit`, kfp.Client or the Pipelines page takes."""

import os
import warnings
from pathlib import Path
from typing import Any

import yaml

from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.kubeflow.package.requirements import Target, check, sees_images
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.resolve import resolve

_SERVICE_ACCOUNT = "# service account: "


def compile_package(config: Config, target: Target) -> list[dict[str, Any]]:
    """The package's documents.

    Raises:
        BadInput: the cluster could not run it.
    """
    check(config, target)
    if sees_images(config):
        data = config.data
        sources = find_images(data.images, data.manifest, frozenset(data.splits), data.layout)
        config = resolve(config, sources)
    config = _with_s3(config)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from efficientmixnet.kubeflow.package.cluster_pipeline import cluster_pipeline
        from efficientmixnet.kubeflow.package.package import package

        return package(cluster_pipeline(config), config.kubeflow, target)


def write_package(documents: list[dict[str, Any]], file: Path, service_account: str | None = None) -> None:
    """Writes the documents, one after the other, whole or not at all.

    A package has no place for the service account; it stands in a comment, from which `submit` takes it.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise BadInput(f"{file}: the cluster's client takes names that end with .yaml alone")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            out.write(f"{_SERVICE_ACCOUNT}{service_account}\n" if service_account else "")
            yaml.safe_dump_all(documents, out, sort_keys=True, width=120)
        part.replace(file)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from None


def service_account_of(package: Path) -> str | None:
    """The one that the package was compiled for."""
    with package.open(encoding="utf-8") as file:
        first = file.readline()
    return first.removeprefix(_SERVICE_ACCOUNT).strip() if first.startswith(_SERVICE_ACCOUNT) else None


def _with_s3(config: Config) -> Config:
    """Images are read by Beam, which knows S3 stores by s3:// alone; minio:// is KFP's own word for them."""
    changed = {
        key: value.replace("minio://", "s3://", 1)
        for key in ("images", "manifest")
        if (value := getattr(config.data, key)) and value.startswith("minio://")
    }
    return config.model_copy(update={"data": config.data.model_copy(update=changed)})
