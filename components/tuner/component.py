"""The Tuner component: searches for the best values of some keys of the configuration."""

import json
from typing import Any

from tfx import v1 as tfx
from tfx.components.tuner import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils, standard_component_specs

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.modules.files.whole_file import write_text

FAILURES_FILE = "failed_trials.json"


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        searched = executor.search(input_dict, exec_properties, self._get_tmp_dir())
        executor.write_best_hyperparameters(searched, output_dict)
        results = artifact_utils.get_single_uri(output_dict[standard_component_specs.TUNER_RESULTS_KEY])
        write_text(f"{results}/{FAILURES_FILE}", json.dumps(searched.failures))
        searched.remove_records()


class Tuner(tfx.components.Tuner):
    """TFX's Tuner, which also writes the trials that failed to FAILURES_FILE in its results."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)


def tuner(
    examples: tfx.types.BaseChannel,
    transform_graph: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    custom_config: dict[str, Any],
    base_model: tfx.types.BaseChannel | None = None,
) -> Tuner:
    """Returns the Tuner component.

    Args:
        examples: The transformed examples.
        transform_graph: Transform's graph.
        schema: The schema of the examples.
        custom_config: The configuration that modules/tuner.py describes.
        base_model: The model that training starts from, if there is one.
    """
    return Tuner(
        tuner_fn="efficientmixnet.modules.tuner.tuner_fn",
        examples=examples,
        transform_graph=transform_graph,
        schema=schema,
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config=custom_config,
        base_model=base_model,
    )
