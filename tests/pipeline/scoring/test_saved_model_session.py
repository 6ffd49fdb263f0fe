"""Tests of SavedModelSession and signature_tensors, against TensorFlow's Python package."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.pipeline.scoring import saved_model_session
from efficientmixnet.pipeline.scoring.saved_model_session import InvalidImage, SavedModelSession
from efficientmixnet.pipeline.scoring.signature_tensors import signature_tensors


class Model(tf.Module):
    """A model with a variable, nested functions, a loop and a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(tf.random.stateless_normal([3, 5], seed=(1, 2)))

    @tf.function
    def _half(self, text: tf.Tensor) -> tf.Tensor:
        length = tf.strings.length(text)
        return tf.cond(length % 2 == 0, lambda: length // 2, lambda: length)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def call(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_greater(tf.strings.length(texts), 0, "an empty text")
        lengths = tf.map_fn(self._half, texts, fn_output_signature=tf.int32)
        numbers = tf.cast(lengths, tf.float32)[:, None] * [[1.0, 0.5, 0.25]]
        return {"scores": tf.nn.softmax(numbers @ self.weights), "lengths": lengths}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "größe"
    model = Model()
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.call, "second": model.call})
    return folder


@pytest.mark.parametrize("batch", [1, 3])
def test_the_output_equals_that_of_tensorflows_python_package(saved: Path, batch: int) -> None:
    texts = [b"a", b"four\0four", "ä".encode() * 5000][:batch]
    expected = tf.saved_model.load(str(saved)).signatures["second"](tf.constant(texts))["scores"].numpy()
    session = SavedModelSession(saved, "second", "scores")
    for _ in range(2):
        np.testing.assert_allclose(session(texts), expected, rtol=1e-6)


def test_a_value_that_the_model_refuses_is_an_error_and_the_next_one_works(saved: Path) -> None:
    session = SavedModelSession(saved, "serving_default", "scores")
    with pytest.raises(InvalidImage, match="an empty text"):
        session([b"text", b""])
    assert session([b"text"]).shape == (1, 5)


def test_an_output_that_is_missing_or_of_integers_is_an_error(saved: Path) -> None:
    with pytest.raises(KeyError, match="probabilities"):
        SavedModelSession(saved, "serving_default", "probabilities")
    with pytest.raises(KeyError, match="third"):
        SavedModelSession(saved, "third", "scores")
    with pytest.raises(RuntimeError, match="not of floats"):
        SavedModelSession(saved, "serving_default", "lengths")([b"text"])


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index", "variables/variables.data-*"])
def test_a_damaged_model_is_an_error(saved: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(saved, tmp_path / "copy")
    (file,) = copy.glob(name)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(RuntimeError):
        SavedModelSession(copy, "serving_default", "scores")


def test_a_signature_that_names_a_missing_operation_is_an_error(saved: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    copy = shutil.copytree(saved, tmp_path / "copy")
    model = saved_model_pb2.SavedModel.FromString((copy / "saved_model.pb").read_bytes())
    model.meta_graphs[0].signature_def["second"].outputs["scores"].name = "missing:0"
    (copy / "saved_model.pb").write_bytes(model.SerializeToString())
    with pytest.raises((LookupError, RuntimeError), match="missing"):
        SavedModelSession(copy, "second", "scores")


def test_the_settings_inline_functions_and_leave_the_graph_as_it_is() -> None:
    options = tf.compat.v1.ConfigProto.FromString(saved_model_session._CONFIG).graph_options
    assert options.optimizer_options.do_function_inlining
    assert options.optimizer_options.opt_level == tf.compat.v1.OptimizerOptions.L0
    assert options.rewrite_options.disable_meta_optimizer


def test_the_names_of_tensors_are_those_that_tensorflow_reads(saved: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes()).meta_graphs[0]
    expected = graph.signature_def["second"]
    inputs, outputs = signature_tensors(graph.SerializeToString(), "second")
    assert inputs == {name: tensor.name for name, tensor in expected.inputs.items()}
    assert outputs == {name: tensor.name for name, tensor in expected.outputs.items()}
    assert outputs.keys() == {"scores", "lengths"}
