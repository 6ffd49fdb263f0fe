"""The schedule of a training ends as low with the epochs of a budget as with those that it was meant for."""

from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.optimizers.schedules import build_schedule
from efficientmixnet.modules.training.budget import with_epochs


def _last_fraction(config: ModelConfig) -> float:
    """Returns the last learning rate as a fraction of the highest."""
    training = config.training
    schedule = {**training.schedule.model_dump(), "warmup_epochs": 0}
    return float(build_schedule(learning_rate=1.0, steps_per_epoch=100, epochs=0, **schedule)(100 * training.epochs))


def _config(**training: Any) -> ModelConfig:
    return ModelConfig.model_validate({"training": training})


@pytest.mark.parametrize("name", ["exponential", "step"])
def test_a_decay_follows_the_epochs_of_a_budget(name: str) -> None:
    given = _config(budget="30m", epochs=24, schedule={"name": name, "decay_rate": 0.5, "decay_epochs": 4})
    chosen = with_epochs(given, 60)
    assert (chosen.training.epochs, chosen.training.schedule.decay_epochs) == (60, 10)
    assert _last_fraction(chosen) == pytest.approx(1 / 64)  # .5 to the sixth power, as in 24 epochs


def test_a_recipe_ends_as_low_as_after_its_own_epochs() -> None:
    published = 0.97 ** (350 / 2.4)
    assert _last_fraction(_config(recipe="efficientnet")) == pytest.approx(published, rel=1e-4)
    for epochs in (20, 60, 700):
        budget = with_epochs(_config(recipe="efficientnet", budget="30m"), epochs)
        assert _last_fraction(budget) == pytest.approx(published, rel=1e-4)
        assert _last_fraction(_config(recipe="efficientnet", epochs=epochs)) == pytest.approx(published, rel=1e-4)


def test_a_given_decay_is_kept_without_a_budget() -> None:
    given = _config(recipe="efficientnet", epochs=35, schedule={"decay_epochs": 3.0})
    assert given.training.schedule.decay_epochs == 3.0
    again = ModelConfig.model_validate(_config(recipe="efficientnet", epochs=35).model_dump(mode="json"))
    assert again.training.schedule.decay_epochs == pytest.approx(0.24)
