"""versions(): the versions of packages that a run records."""

from importlib import metadata

import pytest

from efficientmixnet.pipeline.local.revision import versions


def test_tensorflow_without_gpus_is_tensorflow_too(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = metadata.version

    def version(package: str) -> str:
        if package == "tensorflow":
            raise metadata.PackageNotFoundError(package)
        return "2.21.0" if package == "tensorflow-cpu" else installed(package)

    monkeypatch.setattr(metadata, "version", version)
    assert versions()["tensorflow"] == "2.21.0"
    assert versions()["tfx"] == installed("tfx")


def test_a_package_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(metadata.PackageNotFoundError, match="efficientmixnet"):
        versions()
