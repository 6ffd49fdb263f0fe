"""TFX's InfraValidator with a fake Docker daemon: the container, the requests to it, and the blessing.

The fake daemon serves Docker's client over HTTP. Its container is a server in this process with TensorFlow Serving's
protocol, which loads the SavedModel from the folder that is mounted into the container.
"""

import io
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tfx import v1 as tfx

from efficientmixnet.components.infra_validator import infra_validator
from efficientmixnet.modules import features

kinds = tfx.types.standard_artifacts


class Model(tf.Module):
    """Returns the brightness of the images in serialized examples."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {features.ENCODED: tf.io.FixedLenFeature([], tf.string)})
        decode = lambda one: tf.reduce_mean(tf.cast(tf.io.decode_png(one, 1), tf.float32))  # noqa: E731
        return {"probabilities": tf.map_fn(decode, parsed[features.ENCODED], fn_output_signature=tf.float32)}


class Docker:
    """A fake daemon with one container."""

    def __init__(self, loads: bool) -> None:
        self.created: dict[str, Any] = {}
        self.removed = False
        self.port = 0
        self.answers: list[float] = []
        self._loads = loads
        docker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                given = json.loads(self.rfile.read(length) or "null")
                body = json.dumps(docker._answer(self.path.partition("?")[0], given)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"tcp://127.0.0.1:{self._http.server_port}"

    def _answer(self, path: str, given: Any) -> Any:
        if path.endswith("/version"):
            return {"ApiVersion": "1.43"}
        if path.endswith("/containers/create"):
            self.created = given
            return {"Id": "c1", "Warnings": []}
        if path.endswith("/start"):
            self._serve()
        if path.endswith("/stop"):
            self._server.stop(None)
            self.removed = True
        if path.endswith("/logs"):
            return "the log of the server"
        ports = {"8500/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(self.port)}]}  # noqa: S104
        return {
            "Id": "c1",
            "State": {"Status": "running"},
            "NetworkSettings": {"Ports": ports},
            "Config": {"Tty": True},
        }

    def _serve(self) -> None:
        (mount,) = self.created["HostConfig"]["Mounts"]
        signatures = tf.saved_model.load(mount["Source"]).signatures
        docker = self

        class Service:
            def GetModelStatus(self, request: Any, _: Any) -> Any:
                state = get_model_status_pb2.ModelVersionStatus.State
                found = get_model_status_pb2.GetModelStatusResponse()
                found.model_version_status.add(version=1, state=state.AVAILABLE if docker._loads else state.END)
                return found

            def Predict(self, request: predict_pb2.PredictRequest, _: Any) -> predict_pb2.PredictResponse:
                signature = signatures[request.model_spec.signature_name]
                answered = signature(
                    **{name: tf.constant(tf.make_ndarray(one)) for name, one in request.inputs.items()}
                )
                docker.answers += answered["probabilities"].numpy().tolist()
                return predict_pb2.PredictResponse()

            def __getattr__(self, name: str) -> Any:  # methods that are never called
                return None

        self._server = grpc.server(ThreadPoolExecutor(2))
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(Service(), self._server)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()


@pytest.fixture(autouse=True)
def sigterm() -> Iterator[None]:
    """Restores the handler, which TFX's executor does not do if there was none before."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A model, and twelve images in each of two splits: white ones for training, gray ones for evaluation."""
    folder = tmp_path_factory.mktemp("artifacts")
    model, examples = kinds.Model(), kinds.Examples()
    model.uri, examples.uri, examples.split_names = f"{folder}/model", f"{folder}/examples", '["train", "eval"]'
    examples.set_string_custom_property("payload_format", "FORMAT_TF_EXAMPLE")
    module = Model()
    tf.saved_model.save(module, f"{folder}/model/Format-Serving", signatures={"serving_examples": module.classify})
    for split, bright in (("train", [255] * 12), ("eval", range(12))):
        Path(folder, "examples", f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(f"{folder}/examples/Split-{split}/images.gz", "GZIP") as writer:
            for value in bright:
                file = io.BytesIO()
                Image.new("L", (3, 3), value).save(file, "PNG")
                example = tf.train.Example()
                example.features.feature[features.ENCODED].bytes_list.value.append(file.getvalue())
                writer.write(example.SerializeToString())
    return model, examples


def validate(artifacts: tuple[Any, Any], docker: Docker, folder: Path) -> Any:
    """Runs the component, and returns its blessing."""
    model, examples = artifacts
    channels = (tfx.dsl.Channel(type=kind) for kind in (kinds.Model, kinds.Examples))
    node = infra_validator(*channels, "docker", "registry.example.com/serving", "2.19.0", docker.address)
    blessing = kinds.InfraBlessing()
    blessing.uri = str(folder / "blessing")
    executor = type(node).EXECUTOR_SPEC.executor_class
    context = executor.Context(tmp_dir=str(folder / "temporary"), unique_id="1")
    executor(context).Do({"model": [model], "examples": [examples]}, {"blessing": [blessing]}, node.exec_properties)
    return blessing


def test_a_model_that_the_server_can_load_and_run_is_blessed(artifacts, tmp_path):
    docker = Docker(loads=True)
    blessing = validate(artifacts, docker, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 1
    assert docker.created["Image"] == "registry.example.com/serving:2.19.0"
    assert docker.created["HostConfig"]["Mounts"][0]["ReadOnly"]
    assert len(set(docker.answers) & set(range(12))) == 8  # images of the evaluation split
    assert docker.removed


def test_a_model_that_the_server_cannot_load_is_not_blessed(artifacts, tmp_path):
    docker = Docker(loads=False)
    blessing = validate(artifacts, docker, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 0
    assert docker.answers == []
    assert docker.removed
