"""Graphs run without TensorFlow's optimizer for a while."""

import pytest
import tensorflow as tf

from efficientmixnet.components.without_optimizer import without_optimizer


def _is_off() -> bool:
    return bool(tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer"))


def test_the_optimizer_is_on_again_afterward_even_after_an_error():
    assert not _is_off()
    with pytest.raises(KeyError), without_optimizer():
        assert _is_off()
        raise KeyError
    assert not _is_off()
