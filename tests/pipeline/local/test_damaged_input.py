"""Tests of the search for the damaged file that made a component fail."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import ml_metadata as mlmd
import pytest
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.components.record_file import RecordFile
from efficientmixnet.pipeline.local.damaged_input import damaged_input


@pytest.fixture
def fails(tmp_path: Path) -> Callable[[str, Path], None]:
    """Records a failed component with one input of this type."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = mlmd.MetadataStore(connection)

    def record(kind: str, folder: Path) -> None:
        number = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind))
        (artifact,) = store.put_artifacts([metadata_store_pb2.Artifact(type_id=number, uri=str(folder))])
        number = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Component"))
        (execution,) = store.put_executions([metadata_store_pb2.Execution(type_id=number)])
        event = metadata_store_pb2.Event(
            artifact_id=artifact, execution_id=execution, type=metadata_store_pb2.Event.INPUT
        )
        store.put_events([event])

    return record


def _flip(file: Path, place: float = 0.5) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * place)] ^= 1
    file.write_bytes(content)


def _message(tmp_path: Path) -> str:
    found = damaged_input(tmp_path)
    assert found is not None
    return str(found)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
def test_a_flipped_bit_in_a_shard_is_found(tmp_path: Path, fails: Callable[..., None], place: float) -> None:
    folder = tmp_path / "examples"
    (folder / "Split-train").mkdir(parents=True)
    shards = [folder / "Split-train" / f"images-0000{number}-of-00002.gz" for number in range(2)]
    for shard in shards:
        with RecordFile(str(shard)) as file:
            for number in range(20):
                file.write(bytes([number]) * 5000)
    fails("Examples", folder)
    assert damaged_input(tmp_path) is None
    _flip(shards[1], place)
    assert _message(tmp_path).startswith(f"{shards[1]}: is damaged (")
    assert _message(tmp_path).endswith(f"delete {folder} and run the pipeline again")


def test_a_shard_that_is_cut_off_is_found(tmp_path: Path, fails: Callable[..., None]) -> None:
    shard = tmp_path / "examples" / "Split-eval" / "images.gz"
    shard.parent.mkdir(parents=True)
    shard.write_bytes(gzip.compress(b"records" * 100)[:-9])
    fails("Examples", tmp_path / "examples")
    assert _message(tmp_path).startswith(f"{shard}: is damaged (")


@pytest.mark.parametrize("damage", ["graph", "weights", "deleted"])
def test_a_damaged_baseline_model_is_found(tmp_path: Path, fails: Callable[..., None], damage: str) -> None:
    folder = tmp_path / "model" / "Format-Serving"
    module = tf.Module()
    module.weights = tf.Variable(tf.range(1000.0))
    tf.saved_model.save(module, str(folder))
    fails("Model", tmp_path / "model")
    assert damaged_input(tmp_path) is None
    if damage == "graph":
        (folder / "saved_model.pb").write_bytes(b"")
    elif damage == "weights":
        (weights,) = folder.glob("variables/variables.data*")
        _flip(weights)
    else:
        (folder / "saved_model.pb").unlink()
    assert _message(tmp_path).startswith(f"{folder}: is damaged (")
    assert _message(tmp_path).endswith(f"delete {tmp_path}/model and run the pipeline again")


@pytest.mark.parametrize(
    ("kind", "name", "intact"),
    [
        ("ExampleStatistics", "Split-train/FeatureStats.pb", b""),
        ("Schema", "schema.pbtxt", b'feature { name: "a" }'),
        ("HyperParameters", "best_hyperparameters.txt", json.dumps({"values": {}}).encode()),
    ],
)
def test_a_damaged_small_file_is_found(
    tmp_path: Path, fails: Callable[..., None], kind: str, name: str, intact: bytes
) -> None:
    file = tmp_path / "result" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(intact)
    fails(kind, tmp_path / "result")
    assert damaged_input(tmp_path) is None
    file.write_bytes(b"\xff\x00 {")
    assert _message(tmp_path).startswith(f"{file}: is damaged (")


def test_intact_and_unknown_inputs_are_not_blamed(tmp_path: Path, fails: Callable[..., None]) -> None:
    fails("ModelRun", tmp_path / "logs")
    assert damaged_input(tmp_path) is None
