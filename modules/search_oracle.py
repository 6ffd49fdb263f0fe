"""build_oracle: who says what a search's next trial tries: KerasTuner's oracles, over the configured space."""

from typing import Any

import keras_tuner

from efficientmixnet.modules.search_config import SearchConfig, as_choices, takes_whole_numbers
from efficientmixnet.modules.training_config import TrainingConfig


def build_oracle(search: SearchConfig, training: TrainingConfig) -> keras_tuner.Oracle:
    """For trials that are such trainings."""
    space = keras_tuner.HyperParameters()
    for key, dimension in search.space.items():
        if dimension.values:
            space.Choice(key, as_choices(dimension.values))
        elif takes_whole_numbers(key):
            step = int(dimension.step) if dimension.step else None
            space.Int(key, int(dimension.min or 0), int(dimension.max or 0), step=step, sampling=dimension.sampling)
        else:
            space.Float(key, dimension.min, dimension.max, step=dimension.step, sampling=dimension.sampling)
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(search.objective, search.direction),
        "hyperparameters": space,
        "seed": training.seed + 1,  # for 0 KerasTuner draws one
        "max_consecutive_failed_trials": search.trials + 1,  # in a thread its own end would hang the others
    }
    if search.algorithm == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=training.epochs, **common)
        oracle.max_trials = search.trials
        return oracle
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    return kinds[search.algorithm](max_trials=search.trials, **common)
