"""Folders in an object store and on a volume, by the same functions; the store is a real S3 server on this machine."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import fsspec
import pytest
from moto.server import ThreadedMotoServer

from efficientmixnet.kubeflow import object_store
from efficientmixnet.kubeflow.pushed_models import PushedModels
from efficientmixnet.modules.bad_input import BadInput


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of an empty bucket, which the environment knows how to reach."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": "password",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    bucket = boto3.resource("s3").Bucket("runs")
    bucket.create()
    bucket.objects.delete()
    return "minio://runs"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    (folder / "empty").write_bytes(b"")
    return folder


@pytest.mark.parametrize("place", ["store", "volume"])
def test_a_folder_comes_back_as_it_was(store: str, model: Path, tmp_path: Path, place: str) -> None:
    folder = f"{store}/a/model" if place == "store" else str(tmp_path / "volume" / "a" / "model")
    object_store.upload(str(model), folder)
    object_store.download(folder, str(tmp_path / "back"))
    assert {file.name: file.size for file in object_store.files(folder)} == {
        "empty": 0,
        "saved_model.pb": 5,
        "variables/variables.index": 7,
    }
    for name in ("empty", "saved_model.pb", "variables/variables.index"):
        assert (tmp_path / "back" / name).read_bytes() == (model / name).read_bytes()


def test_a_single_file_comes_back_too(store: str, model: Path, tmp_path: Path) -> None:
    object_store.upload(str(model / "saved_model.pb"), f"{store}/a/file")
    object_store.download(f"{store}/a/file", str(tmp_path / "back" / "file"))
    assert (tmp_path / "back" / "file").read_bytes() == b"graph"


def test_markers_of_zero_bytes_do_no_harm(store: str, model: Path, tmp_path: Path) -> None:
    bucket = boto3.resource("s3").Bucket("runs")
    for marker in ("m/", "m/variables/", "m/variables", "m/a", "m/a/b/"):
        bucket.put_object(Key=marker, Body=b"")
    (model / "a" / "b").mkdir(parents=True)
    (model / "a" / "b" / "deep").write_bytes(b"deep")
    object_store.upload(str(model), f"{store}/m")
    object_store.download(f"{store}/m", str(tmp_path / "back"))
    assert (tmp_path / "back" / "a" / "b" / "deep").read_bytes() == b"deep"
    assert (tmp_path / "back" / "variables" / "variables.index").read_bytes() == b"weights"
    assert (tmp_path / "back" / "saved_model.pb").read_bytes() == b"graph"


def test_of_nothing_nothing_is_copied(store: str, tmp_path: Path) -> None:
    assert object_store.files(f"{store}/none") == []
    object_store.download(f"{store}/none", str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()


def test_a_folder_is_not_another_one_whose_name_begins_alike(store: str, model: Path, tmp_path: Path) -> None:
    object_store.upload(str(model), f"{store}/model-2")
    assert object_store.files(f"{store}/model") == []


def test_a_bucket_that_is_gone_is_named(store: str, model: Path) -> None:
    with pytest.raises(BadInput, match="minio://gone/a: there is no such bucket or folder"):
        object_store.upload(str(model), "minio://gone/a")


def test_a_store_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(object_store, "_ATTEMPTS", 1)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(BadInput, match="minio://runs/a: the object store does not answer"):
        object_store.files(f"{store}/a")


@pytest.mark.parametrize("place", ["store", "volume"])
def test_the_newest_pushed_model_is_found_and_never_the_candidate_itself(
    store: str, model: Path, tmp_path: Path, place: str
) -> None:
    pushed = PushedModels(f"{store}/pushed" if place == "store" else str(tmp_path / "pushed"))
    assert pushed.latest_before("minio://runs/1/model") is None
    first = pushed.push(str(model), "minio://runs/1/model")
    assert pushed.latest_before("minio://runs/1/model") is None  # a candidate from the cache, pushed already
    assert pushed.latest_before("minio://runs/2/model") == f"{pushed.folder}/{first}"
    second = pushed.push(str(model), "minio://runs/2/model")
    assert int(second) > int(first)  # within the same second too
    assert pushed.latest_before("minio://runs/2/model") == f"{pushed.folder}/{first}"
    assert pushed.latest_before("minio://runs/3/model") == f"{pushed.folder}/{second}"
    assert {file.name for file in object_store.files(f"{pushed.folder}/{second}")} == {
        "empty", "saved_model.pb", "variables/variables.index",
    }  # fmt: skip
