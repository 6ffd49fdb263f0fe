"""Models are registered once, as the published API requires, even if the registry is temporarily unavailable."""

import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.registry.model_registry import ModelRegistry
from efficientmixnet.kubeflow.registry.registration import Registration, registration_of
from efficientmixnet.kubeflow.registry.serving_uri import serving_uri
from efficientmixnet.modules.exceptions import BadInput, ServerUnavailable
from efficientmixnet.pipeline.config.config import Config

MODEL = Registration(
    "digits", "1795886299", "s3://bucket/pushed/1795886299", "accuracy 0.98 reaches 0.97",
    {"accuracy": 0.9859, "images": "s3://bucket/digits"}, {"modelSourceKind": "kfp", "modelSourceId": "run-1"},
)  # fmt: skip
CONTENT: dict[str, Any] = {
    "config": {"name": "digits", "training": {"seed": 7}},
    "network": {"name": "EfficientNet-B0", "parameters": 54_000},
    "splits": {"train": 1442, "eval": 355},
    "verdict": {
        "reason": "accuracy 0.9859 reaches 0.97",
        "metrics": {"accuracy": 0.9859, "auc": float("nan")},
        "test_metrics": {"accuracy": 0.9},
        "baseline_metrics": {},
    },
}


@pytest.fixture(scope="module")
def module() -> Any:
    file = Path(__file__).with_name("registry_server.py")
    spec = importlib.util.spec_from_file_location("registry_server", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server(module: Any) -> Iterator[Any]:
    server = module.RegistryServer()
    yield server
    server.stop()
    assert server.problems == []


def test_a_model_is_registered_with_metrics_lineage_and_uri(server: Any) -> None:
    assert ModelRegistry(server.url).register(MODEL) == "1"
    assert [one["name"] for one in server.models] == ["digits"]
    [version] = server.versions
    assert (version["name"], version["registeredModelId"]) == ("1795886299", "1")
    assert version["description"] == "accuracy 0.98 reaches 0.97"
    assert version["customProperties"] == {
        "accuracy": {"metadataType": "MetadataDoubleValue", "double_value": 0.9859},
        "images": {"metadataType": "MetadataStringValue", "string_value": "s3://bucket/digits"},
    }
    [artifact] = server.artifacts
    assert artifact["uri"] == "s3://bucket/pushed/1795886299"
    assert (artifact["modelFormatName"], artifact["modelFormatVersion"]) == ("tensorflow", "2")
    assert (artifact["modelSourceKind"], artifact["modelSourceId"]) == ("kfp", "run-1")


def test_a_second_registration_adds_nothing(server: Any) -> None:
    for _ in range(2):
        assert ModelRegistry(server.url).register(MODEL) == "1"
    assert ModelRegistry(server.url).register(dataclasses.replace(MODEL, version="1795886300")) == "2"
    assert (len(server.models), len(server.versions), len(server.artifacts)) == (1, 2, 2)
    assert sum(one.startswith("POST") for one in server.requests) == 5  # a model, two versions and two artifacts


@pytest.mark.parametrize("request_number", range(6))
@pytest.mark.parametrize("failure", [503, 0, -1])
def test_every_request_is_repeated_until_the_registry_answers(
    server: Any, clock: Any, request_number: int, failure: int
) -> None:
    """With -1, the registry did what was asked, and its answer is lost."""
    failing = iter([*[None] * request_number, failure])
    handle = server._answer

    def answer(*request: Any) -> None:
        wanted = next(failing, None)
        server.failing = [] if wanted is None else [wanted]
        handle(*request)

    server._answer = answer
    assert ModelRegistry(server.url).register(MODEL) == "1"
    assert (len(server.models), len(server.versions), len(server.artifacts)) == (1, 1, 1)
    assert len(server.requests) >= 7


def test_a_registration_that_was_interrupted_is_completed(server: Any, clock: Any) -> None:
    server.failing = [-1, -1, -1, *[503] * 1000]
    with pytest.raises(ServerUnavailable, match=r"kubeflow.model_registry: http://\S+ does not answer \(503 refused"):
        ModelRegistry(server.url, patience=60).register(MODEL)
    server.failing = []
    ModelRegistry(server.url).register(MODEL)
    assert (len(server.models), len(server.versions), len(server.artifacts)) == (1, 1, 1)


def test_a_registry_that_is_away_is_named(clock: Any) -> None:
    with pytest.raises(ServerUnavailable, match=r"kubeflow.model_registry: http://127.0.0.1:9 does not answer"):
        ModelRegistry("http://127.0.0.1:9").register(MODEL)
    assert clock.now > 100


def test_a_version_with_another_uri_is_not_replaced(server: Any) -> None:
    ModelRegistry(server.url).register(MODEL)
    other = dataclasses.replace(MODEL, uri="s3://other/pushed/1795886299")
    with pytest.raises(BadInput, match="has digits 1795886299 with the URI s3://bucket/pushed/1795886299, not s3://o"):
        ModelRegistry(server.url).register(other)
    assert len(server.artifacts) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, r"denies access \(401\); give a token in MODEL_REGISTRY_TOKEN"), (302, r"denies access \(302\)"),
     (400, r"refuses GET /registered_model \(400 refused with 400\)"), (200, "does not answer as a Model Registry")],
)  # fmt: skip
def test_a_refusal_is_one_line_and_is_not_repeated(server: Any, status: int, message: str) -> None:
    server.failing = [status]
    with pytest.raises(BadInput, match=message) as raised:
        ModelRegistry(server.url).register(MODEL)
    assert "\n" not in str(raised.value)
    assert len(server.requests) == 1


def test_a_server_without_the_api_is_named(server: Any) -> None:
    server.failing = [404, 404]
    with pytest.raises(BadInput, match="does not answer as a Model Registry does; give its address"):
        ModelRegistry(server.url).register(MODEL)


def test_the_token_of_the_environment_is_sent(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_REGISTRY_TOKEN", "secret\n")
    ModelRegistry(server.url).register(MODEL)
    assert server.tokens == {"Bearer secret"}


def test_a_registration_has_the_facts_of_the_report() -> None:
    trained = "minio://bucket/root/digits/1f0c/Trainer/77/model"
    one = registration_of(
        CONTENT, "s3://bucket/other", "minio://bucket/pushed/5", "s3://bucket/pushed/5", trained, "R", {"tfx": "1.21"}
    )
    assert (one.model, one.version, one.description) == ("digits", "5", "accuracy 0.9859 reaches 0.97")
    assert one.properties == {
        "accuracy": 0.9859,
        "test_accuracy": 0.9,
        "images": "s3://bucket/other",
        "images_train": 1442.0,
        "images_eval": 355.0,
        "network": "EfficientNet-B0",
        "parameters": 54_000.0,
        "seed": 7.0,
        "trained_model": trained,
        "pushed_model": "minio://bucket/pushed/5",
        "report": "R",
        "tfx": "1.21",
    }
    assert (one.source["modelSourceId"], one.source["modelSourceName"]) == ("1f0c", "digits")


def test_secrets_are_masked() -> None:
    place = "s3://bucket/digits?X-Amz-Signature=abcdef0123456789"
    properties = registration_of(CONTENT, place, "/p/5", "/p/5", "", "", {}).custom_properties()
    assert "abcdef0123456789" not in properties["images"]["string_value"]


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        ("minio://bucket/pushed/5", "s3://bucket/pushed/5"),
        ("s3://bucket/pushed/5", "s3://bucket/pushed/5"),
        ("gs://bucket/pushed/5", "gs://bucket/pushed/5"),
        ("/mnt/models/pushed/5", "pvc://models/digits/pushed/5"),
        ("/mnt/modelsother/5", "pvc://team/modelsother/5"),
        ("/elsewhere/5", "/elsewhere/5"),
    ],
)
def test_the_uri_is_the_one_that_kserve_takes(place: str, uri: str) -> None:
    assert serving_uri(place, {"/mnt": "team", "/mnt/models": "models/digits"}) == uri


@pytest.mark.parametrize("url", ["registry:8080", "http://user:password@registry", "ftp://registry", "http://a/?b=c"])
def test_a_url_that_is_not_one_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="should be the URL of a service"):
        Config.model_validate({"data": {"images": "/x"}, "kubeflow": {"model_registry": url}})
