"""The phases of fine-tuning train the right layers with the right learning rates."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.training_config import ScheduleConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.training.compile_model import compile_model
from efficientmixnet.modules.training.phases import Phase, check_updates, distances_from_the_classifier, phases

BLOCKS = ["r1_k3_s22_e1_i8_o8_se0.25", "r1_k3_s22_e2_i8_o8_se0.25", "r1_k3_s22_e2_i8_o8_se0.25"]


def _model(norm: str = "bn") -> keras.Model:
    keras.utils.set_random_seed(0)
    builder = EfficientNetBuilder((16, 16, 3), classes=2, drop_connect_rate=0.0, norm=norm)
    return builder.custom_model(BLOCKS, stem_filters=8, head_filters=16, dropout_rate=0.0)


def _config(weights: str | None = "imagenet", **training: object) -> ModelConfig:
    sgd = {"optimizer": {"name": "sgd"}, "schedule": {"name": "constant"}}
    return ModelConfig.model_validate({"network": {"weights": weights}, "training": {**sgd, **training}})


def _step(model: keras.Model, config: ModelConfig, number: int = -1) -> dict[str, np.ndarray]:
    """Returns the change of each layer after one step with gradients of 1, which is its learning rate."""
    compile_model(model, config.training, phases(config, 0.5)[number], steps_per_epoch=10)
    before = [weight.numpy() for weight in model.trainable_variables]
    ones = [np.ones(weight.shape, "float32") for weight in model.trainable_variables]
    model.optimizer.apply(ones, model.trainable_variables)
    after = [weight.numpy() for weight in model.trainable_variables]
    names = {weight.path: layer.name for layer in model.layers for weight in layer.weights}
    return {
        names[weight.path]: (old - new).ravel()[0]
        for weight, old, new in zip(model.trainable_variables, before, after, strict=True)
    }


def test_without_starting_weights_all_layers_train_in_one_phase() -> None:
    (phase,) = phases(_config(weights=None, epochs=7), 0.5)
    assert (phase.epochs, phase.learning_rate) == (range(7), 0.5)
    assert len(_step(_model(), _config(weights=None))) == len([one for one in _model().layers if one.trainable_weights])


@pytest.mark.parametrize(
    ("epochs", "given", "head"), [(4, None, 0), (10, None, 2), (100, None, 3), (10, 0, 0), (9, 5, 5)]
)
def test_the_classifier_gets_the_first_fifth_of_the_epochs_and_at_most_three(
    epochs: int, given: int | None, head: int
) -> None:
    found = phases(_config(epochs=epochs, fine_tuning={"head_epochs": given}), 0.5)
    assert [phase.epochs for phase in found if phase.epochs] == [range(head)] * bool(head) + [range(head, epochs)]


def test_the_classifier_trains_first_and_then_all_layers_except_norms_at_a_tenth() -> None:
    model, config = _model(), _config(epochs=10)
    assert _step(model, config, 0) == {"predictions": pytest.approx(0.5)}
    rates = _step(model, config, 1)
    assert {"stem_conv", "stage1_block1_depthwise_conv", "head_conv", "predictions"} <= rates.keys()
    assert not [name for name in rates if name.endswith("_norm")]
    assert list(rates.values()) == pytest.approx([0.05] * len(rates))


def test_norms_train_if_they_are_not_frozen() -> None:
    assert "stem_norm" in _step(_model(), _config(fine_tuning={"frozen_norms": False}))


@pytest.mark.parametrize(("norm", "gate"), [("an", "attention_kernel"), ("iebn", "gate_weight")])
def test_the_gates_of_an_and_iebn_learn_with_the_layers_around_them(norm: str, gate: str) -> None:
    model, config = _model(norm), _config(epochs=10)
    images, labels = np.random.default_rng(0).random((8, 16, 16, 3), "float32"), np.eye(2, dtype="float32")[[0, 1] * 4]
    changed = []
    for phase in phases(config, 0.5):
        before = {weight.path: weight.numpy() for weight in model.weights}
        compile_model(model, config.training, phase, steps_per_epoch=1)
        model.fit(images, labels, verbose=0)
        changed.append({w.path for w in model.weights if not np.array_equal(w.numpy(), before[w.path])})
    assert changed[0] == {"predictions/kernel", "predictions/bias"}
    norms = [layer.name for layer in model.layers if layer.name.endswith("_norm")]
    assert {f"{name}/{weight}" for name in norms for weight in (gate, "gamma", "beta")} <= changed[1]
    assert not [path for path in changed[1] if "moving" in path]


def test_layers_before_freeze_until_are_frozen() -> None:
    trained = _step(_model(), _config(fine_tuning={"freeze_until": "stage3"}))
    assert {name.partition("_")[0] for name in trained} == {"stage3", "head", "predictions"}


def test_norms_after_freeze_until_train_if_they_are_not_frozen() -> None:
    trained = _step(_model(), _config(fine_tuning={"freeze_until": "stage3", "frozen_norms": False}))
    assert {"stage3_block1_depthwise_norm", "head_norm"} <= trained.keys()
    assert not [name for name in trained if name.startswith(("stem", "stage1", "stage2"))]


def test_an_unknown_layer_is_refused_with_its_key() -> None:
    with pytest.raises(ValueError, match=r"training\.fine_tuning\.freeze_until: the network has no layer 'stage9'"):
        _config(fine_tuning={"freeze_until": "stage9"})
    with pytest.raises(BadInput, match=r"training\.fine_tuning\.freeze_until: .*'stage9'"):
        Phase(range(1), 0.1, ScheduleConfig(), freeze_until="stage9").prepare(_model())


def test_a_phase_without_an_update_is_refused() -> None:
    planned = phases(_config(epochs=10), 0.1)  # two epochs of the classifier, and eight of all layers
    check_updates(planned, accumulation_steps=16, steps_per_epoch=8)
    with pytest.raises(BadInput, match="epochs 1 to 2 have only 16 steps, and 17 would make no update"):
        check_updates(planned, accumulation_steps=17, steps_per_epoch=8)


def test_a_phase_that_lookahead_does_not_move_is_refused() -> None:
    planned = phases(_config(epochs=10), 0.1)
    check_updates(planned, accumulation_steps=2, steps_per_epoch=6, sync_period=6)
    with pytest.raises(BadInput, match=r"training\.optimizer: epochs 1 to 2 have only 10 steps, but Lookahead moves"):
        check_updates(planned, accumulation_steps=2, steps_per_epoch=5, sync_period=6)


def test_a_patience_that_ends_before_the_weights_change_is_refused() -> None:
    """It would export the initial weights."""
    planned = phases(_config(weights=None, epochs=40), 0.1)
    check_updates(planned, accumulation_steps=1, steps_per_epoch=2, sync_period=6, patience=3)
    with pytest.raises(BadInput, match=r"early_stopping_patience: 3 epochs have 3 steps, and the weights change only"):
        check_updates(planned, accumulation_steps=1, steps_per_epoch=1, sync_period=6, patience=3)
    with pytest.raises(BadInput, match=r"3 epochs have 3 steps, and the weights change only every 8 steps"):
        check_updates(planned, accumulation_steps=8, steps_per_epoch=1, patience=3)


def test_layer_decay_halves_the_learning_rate_from_stage_to_stage() -> None:
    rates = _step(_model(), _config(fine_tuning={"layer_decay": 0.5, "learning_rate_fraction": 1.0}))
    expected = {"predictions": 0.5, "head_conv": 0.25, "stage3_block1_depthwise_conv": 0.125, "stem_conv": 0.015625}
    assert {name: rates[name] for name in expected} == pytest.approx(expected)
    assert set(distances_from_the_classifier(_model()).values()) == {0, 1, 2, 3, 4, 5}


def test_a_model_with_layer_decay_trains() -> None:
    model, config = _model(), _config(fine_tuning={"layer_decay": 0.5}, ema=0.9)
    compile_model(model, config.training, phases(config, 0.1)[-1], steps_per_epoch=10)
    x = np.random.default_rng(0).normal(size=(8, 16, 16, 3)).astype("float32")
    y = np.eye(2, dtype="float32")[np.arange(8) % 2]
    first, *_, last = model.fit(x, y, epochs=6, verbose=0).history["loss"]
    assert last < first


@pytest.mark.parametrize("inner", [False, True])
def test_layer_decay_clips_the_gradients_of_all_stages_together(inner: bool) -> None:
    clipped = {"name": "sgd", "global_clipnorm": 0.1}
    optimizer = {"name": "lookahead", "inner": clipped, "sync_period": 100} if inner else clipped
    tuning = {"layer_decay": 0.999999, "learning_rate_fraction": 1.0}
    model, config = _model(), _config(optimizer=optimizer, fine_tuning=tuning)
    compile_model(model, config.training, phases(config, 1.0)[-1], steps_per_epoch=10)
    before = [weight.numpy() for weight in model.trainable_variables]
    model.optimizer.apply([np.ones(one.shape, "float32") for one in before], model.trainable_variables)
    changes = [old - new.numpy() for old, new in zip(before, model.trainable_variables, strict=True)]
    assert np.sqrt(sum(np.sum(change**2) for change in changes)) == pytest.approx(0.1, rel=1e-4)


def test_layer_decay_refuses_to_clip_accumulated_gradients() -> None:
    config = _config(
        optimizer={"name": "sgd", "global_clipnorm": 0.1}, fine_tuning={"layer_decay": 0.5}, accumulation_steps=2
    )
    with pytest.raises(BadInput, match="on one device; use clipnorm"):
        compile_model(_model(), config.training, phases(config, 1.0)[-1], steps_per_epoch=10)
