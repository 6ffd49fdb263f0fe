"""The same functions read and write an object store and a volume. The store is an S3 server on this machine."""

import dataclasses
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import fsspec
import pytest
import requests

from efficientmixnet.components import pushed_folder
from efficientmixnet.components.image_example_gen.files import open_file, read_bytes
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.kubeflow.store import ask_store, object_store
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.modules.exceptions import BadInput


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    (folder / "empty").write_bytes(b"")
    return folder


@pytest.mark.parametrize("place", ["store", "volume"])
def test_an_uploaded_folder_is_downloaded_unchanged(store: str, model: Path, tmp_path: Path, place: str) -> None:
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


def test_an_uploaded_file_is_downloaded_unchanged(store: str, model: Path, tmp_path: Path) -> None:
    object_store.upload(str(model / "saved_model.pb"), f"{store}/a/file")
    object_store.download(f"{store}/a/file", str(tmp_path / "back" / "file"))
    assert (tmp_path / "back" / "file").read_bytes() == b"graph"


def test_a_key_that_leads_out_of_the_folder_is_not_downloaded(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "files", lambda folder: [object_store.File("a/../../../evil", 4)])
    with pytest.raises(BadInput, match=r"/a/\.\./\.\./\.\./evil: has the part \.\."):
        object_store.download(f"{store}/a", str(tmp_path / "one" / "two"))
    assert not list(tmp_path.iterdir())


def test_a_uri_that_leads_out_of_the_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(object_store.FOLDER_VARIABLE, str(tmp_path / "store"))
    with pytest.raises(BadInput, match=r"minio://bucket/\.\./\.\./x: has the part \.\."):
        object_store.write_text("minio://bucket/../../x", "evil")
    assert not list(tmp_path.iterdir())


def test_a_local_folder_can_replace_the_store(
    store: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(object_store.FOLDER_VARIABLE, str(tmp_path / "store"))
    object_store.upload(str(model), "minio://bucket/a")
    assert (tmp_path / "store" / "minio" / "bucket" / "a" / "saved_model.pb").read_bytes() == b"graph"
    assert len(object_store.files("minio://bucket/a")) == 3
    object_store.write_text(str(tmp_path / "volume" / "b"), "elsewhere")  # a volume is not replaced
    assert (tmp_path / "volume" / "b").read_text() == "elsewhere"


def test_markers_of_empty_folders_are_skipped(store: str, model: Path, tmp_path: Path) -> None:
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


def test_an_empty_place_has_no_files_and_downloads_nothing(store: str, tmp_path: Path) -> None:
    assert object_store.files(f"{store}/none") == []
    object_store.download(f"{store}/none", str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()


def test_a_folder_whose_name_begins_alike_is_not_listed(store: str, model: Path, tmp_path: Path) -> None:
    object_store.upload(str(model), f"{store}/model-2")
    assert object_store.files(f"{store}/model") == []


def test_an_unknown_scheme_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^hdfs://a/b: unknown scheme; give minio://, s3:// or gs://, or the path"):
        object_store.files("hdfs://a/b")
    monkeypatch.setenv(object_store.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(BadInput, match=r"^hdfs://a/b: unknown scheme"):
        object_store.files("hdfs://a/b")


def test_a_missing_bucket_is_named(store: str, model: Path) -> None:
    with pytest.raises(BadInput, match="minio://gone/a: no such bucket or folder"):
        object_store.upload(str(model), "minio://gone/a")


@pytest.fixture
def keys(store: str, store_server: Any) -> Iterator[dict[str, str]]:
    """The keys of the only user that the store accepts."""
    iam = boto3.client("iam")
    user, rights = str(uuid.uuid4()), {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [rights]}
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    switch = f"{store_server.environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    requests.post(switch, data="0", timeout=10)
    yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    requests.post(switch, data="inf", timeout=10)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "The AWS Access Key Id you provided does not exist"),
        ({"AWS_SECRET_ACCESS_KEY": "hunter2"}, "The request signature we calculated does not match"),
    ],
)
def test_wrong_keys_are_refused_in_one_line_that_does_not_show_them(
    store: str, keys: dict[str, str], model: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], why: str
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    object_store.upload(str(model), f"{store}/a")
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    for call in (
        lambda: object_store.files(f"{store}/a"),
        lambda: object_store.download(f"{store}/a", str(model / "back")),
        lambda: object_store.upload(str(model), f"{store}/a"),
        lambda: object_store.read_text(f"{store}/a/saved_model.pb"),
        lambda: object_store.remove(f"{store}/a"),
    ):
        with pytest.raises(
            BadInput, match=rf"^minio://runs/a.*: the object store refuses the keys \(({why}|Forbidden)"
        ) as refused:
            call()
        assert str(refused.value).endswith("kubeflow.object_store.secret (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)")
        assert "\n" not in str(refused.value)
        assert not any(value in str(refused.value) for value in {**keys, **wrong}.values())


def test_missing_keys_are_refused_as_wrong_keys_are(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(BadInput, match=r"refuses the keys .Unable to locate credentials.; check kube"):
        object_store.files(f"{store}/a")


def test_copies_continue_when_the_store_comes_back(
    store: str, store_server: Any, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    object_store.upload(str(model), f"{store}/a")
    for call in (
        lambda: object_store.upload(str(model), f"{store}/b"),
        lambda: object_store.download(f"{store}/a", str(tmp_path / "back")),
    ):
        store_server.end()
        back = threading.Timer(3.0, store_server.begin)
        back.start()
        call()
        back.join()
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == 2
        assert printed[0].startswith("minio://runs/") and "the object store does not answer (" in printed[0]
        assert printed[0].endswith("); trying again for 180 s")
        assert "the object store answers again after " in printed[1]
    assert [file.name for file in object_store.files(f"{store}/b")] == [
        "empty", "saved_model.pb", "variables/variables.index",
    ]  # fmt: skip
    assert (tmp_path / "back" / "variables" / "variables.index").read_bytes() == b"weights"


def test_a_store_that_never_answers_is_named(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(ask_store, "PATIENCE", 2.0)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(
        BadInput, match=r"minio://runs/a: the object store does not answer .*check kubeflow.object_store.e"
    ):
        object_store.files(f"{store}/a")


def test_images_in_the_store_are_found_and_read(store: str, tmp_path: Path) -> None:
    """DataVersion and ImageExampleGen use the same functions. A marker of an empty folder is not an image."""
    for name in ("cat/1.jpg", "dog/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"encoded {name}")
    object_store.upload(str(tmp_path), f"{store}/images")
    boto3.resource("s3").Bucket("runs").put_object(Key="images/", Body=b"")
    sources = find_images("s3://runs/images", None, frozenset())
    assert [(entry.name, entry.label) for entry in sources.entries] == [("cat/1.jpg", "cat"), ("dog/2.jpg", "dog")]
    assert sources.left_out == ()
    assert sources.bytes == len("encoded cat/1.jpg") * 2
    assert read_bytes(sources.entries[0]) == b"encoded cat/1.jpg"
    assert read_bytes(dataclasses.replace(sources.entries[0], offset=8, size=3)) == b"cat"
    with open_file("s3://runs/images/dog/2.jpg") as file:
        assert file.read() == b"encoded dog/2.jpg"
    before = sources.fingerprint
    assert find_images("s3://runs/images", None, frozenset()).fingerprint == before
    object_store.write_text(f"{store}/images/dog/2.jpg", "another")
    assert find_images("s3://runs/images", None, frozenset()).fingerprint != before


@pytest.mark.parametrize("place", ["store", "volume"])
def test_the_newest_pushed_model_is_found_and_never_the_candidate(
    store: str, model: Path, tmp_path: Path, place: str
) -> None:
    pushed = PushedModels(f"{store}/pushed" if place == "store" else str(tmp_path / "pushed"))
    assert pushed.latest_before("minio://runs/1/model") is None
    first = pushed.push(str(model), "minio://runs/1/model")
    assert pushed.latest_before("minio://runs/1/model") is None  # a candidate from the cache, which was pushed before
    assert pushed.latest_before("minio://runs/2/model") == f"{pushed.folder}/{first}"
    second = pushed.push(str(model), "minio://runs/2/model")
    assert int(second) > int(first)  # within the same second too
    assert pushed.latest_before("minio://runs/2/model") == f"{pushed.folder}/{first}"
    assert pushed.latest_before("minio://runs/3/model") == f"{pushed.folder}/{second}"
    assert {file.name for file in object_store.files(f"{pushed.folder}/{second}")} == {
        "empty", "saved_model.pb", "variables/variables.index",
    }  # fmt: skip


@pytest.fixture(params=["store", "volume"])
def pushed(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> PushedModels:
    return PushedModels(f"{store}/{uuid.uuid4()}" if request.param == "store" else str(tmp_path / "pushed"))


def test_a_pushed_model_that_was_deleted_is_pushed_again(pushed: PushedModels, model: Path) -> None:
    first = pushed.push(str(model), "minio://runs/1/model")
    assert pushed.push(str(model), "minio://runs/1/model") == first
    object_store.remove(f"{pushed.folder}/{first}")
    second = pushed.push(str(model), "minio://runs/1/model")
    assert int(second) > int(first)
    assert len(object_store.files(f"{pushed.folder}/{second}")) == 3


def test_a_failed_push_leaves_no_version_that_servers_load(
    pushed: PushedModels, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def incomplete(expected: Any, found: Any, place: str) -> None:
        raise OSError(f"{place}: the copy is not complete")

    with monkeypatch.context() as patched:
        patched.setattr(pushed_folder, "check_copy", incomplete)
        with pytest.raises(OSError, match="not complete"):
            pushed.push(str(model), "minio://runs/1/model")
    assert not [file for file in object_store.files(pushed.folder) if file.name.endswith("saved_model.pb")]
    assert pushed.latest_before(None) is None


def test_a_later_push_removes_what_an_interrupted_one_left_in_the_store(store: str, model: Path) -> None:
    pushed = PushedModels(f"{store}/interrupted")
    now = int(time.time())
    for version in (now - 7200, now):  # another run may still be pushing the second
        object_store.write_text(f"{pushed.folder}/pushing/{version}", "")
        object_store.write_text(f"{pushed.folder}/{version}/variables/data", "half")
    last = pushed.push(str(model), "minio://runs/1/model")
    folders = {file.name.partition("/")[0] for file in object_store.files(pushed.folder)}
    assert folders == {"records", "pushing", str(now), last}
    assert [file.name for file in object_store.files(f"{pushed.folder}/pushing")] == [str(now)]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "7"])
def test_a_damaged_record_is_named(pushed: PushedModels, content: str) -> None:
    object_store.write_text(f"{pushed.folder}/records/1795328785.json", content)
    with pytest.raises(BadInput, match=r"/records/1795328785\.json: is damaged \(.*\); restore it, or delete it"):
        pushed.latest_before(None)


def test_a_foreign_file_among_the_records_is_ignored(pushed: PushedModels) -> None:
    for name in ("²", "notes"):
        object_store.write_text(f"{pushed.folder}/records/{name}.json", "")
    assert pushed.latest_before(None) is None
