"""Fixtures for the tests of the package: its parts by the names of tasks and components."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def spec(package: list[dict[str, Any]]) -> dict[str, Any]:
    return package[0]


@pytest.fixture(scope="module")
def tasks(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["root"]["dag"]["tasks"]


@pytest.fixture(scope="module")
def containers(spec: dict[str, Any]) -> dict[str, Any]:
    executors = spec["deploymentSpec"]["executors"]
    return {label.removesuffix("_executor"): executor["container"] for label, executor in executors.items()}


@pytest.fixture(scope="module")
def settings(package: list[dict[str, Any]]) -> dict[str, Any]:
    """The platform document's settings of each component."""
    executors = package[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {label.removesuffix("_executor"): one for label, one in executors.items()}
