"""tuner_fn: a hyperparameter search. Each trial is a training in its own process. TFX's Tuner calls it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import tensorflow_transform as tft
from tfx import v1 as tfx

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import SearchConfig, found_values, with_values
from efficientmixnet.modules.search.search import Search
from efficientmixnet.modules.trainer import training_job
from efficientmixnet.modules.training.training_job import TrainingJob


def tuner_fn(fn_args: tfx.components.FnArgs) -> tfx.components.TunerFnResult:
    """Returns the search that TFX's Tuner runs.

    Args:
        fn_args: TFX's arguments. `custom_config` holds as JSON `model`, a ModelConfig, and `search`, a SearchConfig,
            and the folder `checkpoints`, from which a stopped search resumes.
    """
    model = ModelConfig.model_validate(fn_args.custom_config["model"])
    search = SearchConfig.model_validate(fn_args.custom_config["search"])
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    common = search.of_a_trial(model)
    whole = training_job(common, fn_args, transform_output)
    digest = hashlib.sha256(search.model_dump_json(exclude={"workers"}).encode()).hexdigest()[:16]

    def job(values: Mapping[str, Any]) -> TrainingJob:
        return training_job(with_values(common, found_values(values)), fn_args, transform_output)

    found = Search(search, common, job, f"{whole.checkpoints}-search-{digest}")
    return tfx.components.TunerFnResult(tuner=found, fit_kwargs={})
