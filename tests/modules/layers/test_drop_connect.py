from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import DropConnect


def test_a_sample_is_dropped_or_scaled_by_the_keep_probability() -> None:
    outputs = np.asarray(DropConnect(0.75, seed=1)(np.ones((200, 2, 3, 4), "float32"), training=True))
    samples = outputs.reshape(200, -1)
    np.testing.assert_array_equal(samples.min(axis=1), samples.max(axis=1))
    assert set(samples[:, 0]) == {0.0, 4.0}
    # 200 draws of .25: 50 on average, standard deviation 6.1
    assert 30 < np.count_nonzero(samples[:, 0]) < 70


def test_inference_and_rate_zero_change_nothing(rng: np.random.Generator) -> None:
    x = rng.standard_normal((3, 2, 2, 1), "float32")
    np.testing.assert_array_equal(DropConnect(0.5)(x, training=False), x)
    np.testing.assert_array_equal(DropConnect(0.0)(x, training=True), x)
    assert DropConnect(0.0).variables == []


def test_equal_seeds_give_equal_draws_and_calls_differ() -> None:
    x = np.ones((64, 1), "float32")
    one, other = DropConnect(0.5, seed=3), DropConnect(0.5, seed=3)
    first = np.asarray(one(x, training=True))
    np.testing.assert_array_equal(first, other(x, training=True))
    assert np.any(first != np.asarray(one(x, training=True)))


def test_gradients_flow_only_through_kept_samples(gradients: Any) -> None:
    x = np.ones((64, 2), "float32")
    inputs, _ = gradients(DropConnect(0.5, seed=0), x, 3 * x)
    assert set(np.ravel(inputs)) == {0.0, 6.0}


def test_half_precision_is_kept(rng: np.random.Generator) -> None:
    outputs = DropConnect(0.2, dtype="mixed_float16")(rng.standard_normal((2, 3), "float32"), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float16"


def test_saved_and_loaded_it_keeps_rate_and_seed(reload: Any) -> None:
    _, loaded = reload(DropConnect(0.3, seed=5), (None, None, 3))
    config = loaded.layers[1].get_config()
    assert (config["rate"], config["seed"]) == (0.3, 5)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_invalid_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=f"at least 0 and less than 1, got {rate}"):
        DropConnect(rate)
