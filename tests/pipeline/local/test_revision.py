"""Tests of the package versions that a run records."""

from importlib import metadata

import pytest

from efficientmixnet.pipeline.local.revision import versions


def test_the_cpu_package_of_tensorflow_counts_as_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = metadata.version

    def version(package: str) -> str:
        if package == "tensorflow":
            raise metadata.PackageNotFoundError(package)
        return "2.21.0" if package == "tensorflow-cpu" else installed(package)

    monkeypatch.setattr(metadata, "version", version)
    assert versions()["tensorflow"] == "2.21.0"
    assert versions()["tfx"] == installed("tfx")


def test_a_missing_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(metadata.PackageNotFoundError, match="efficientmixnet"):
        versions()
