"""An exported model is loaded once, until another one is written to its folder."""

import tensorflow as tf

from efficientmixnet.components.loaded_model import load_model


class Constant(tf.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = tf.constant(value)

    @tf.function(input_signature=[])
    def value(self) -> tf.Tensor:
        return self._value


def _save(folder, value: float) -> str:
    tf.saved_model.save(Constant(value), str(folder))
    return str(folder)


def test_a_model_is_loaded_once(tmp_path):
    folder = _save(tmp_path, 1.0)
    assert load_model(folder) is load_model(folder)


def test_another_model_in_the_same_folder_is_loaded(tmp_path):
    first = load_model(_save(tmp_path, 1.0))
    second = load_model(_save(tmp_path, 2.0))
    assert (first.value().numpy(), second.value().numpy()) == (1.0, 2.0)


def test_equal_models_in_two_folders_are_two_models(tmp_path):
    first, second = (load_model(_save(tmp_path / name, 1.0)) for name in ("first", "second"))
    assert first is not second


def test_a_model_without_a_fingerprint_is_loaded_each_time(tmp_path):
    folder = _save(tmp_path, 1.0)
    (tmp_path / "fingerprint.pb").unlink()
    assert load_model(folder) is not load_model(folder)
