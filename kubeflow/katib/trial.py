"""The program of a Katib trial: `python -m efficientmixnet.kubeflow.katib.trial` trains with one set of values.

After every epoch it prints the metrics in the format of Katib's collector: `val_accuracy=0.9712`.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from efficientmixnet.kubeflow.pod_errors import one_line_in_a_pod
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import with_values
from efficientmixnet.modules.config.yaml_text import YamlMistake, parse_yaml
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.modules.progress import Figures

# Environment variables: the configuration of all trials, this trial's values, and the folder of transformed images.
MODEL = "EFFICIENTMIXNET_TRIAL_MODEL"
VALUES = "EFFICIENTMIXNET_TRIAL_VALUES"
TRANSFORMED = "EFFICIENTMIXNET_TRIAL_TRANSFORMED"


class Metrics:
    """Prints the validation metrics at the end of each epoch, unrounded."""

    def start(self, total: int, unit: str) -> None: ...

    def tell(self, line: str) -> None:
        print(line, flush=True)

    def advance(self, count: int, figures: Figures) -> None:
        for name, value in figures.items():
            if name.startswith("val_"):
                print(f"{name}={value}", flush=True)


def main() -> None:
    """Trains, prints the metrics, and deletes the model."""
    signal.signal(signal.SIGTERM, _end)
    use_tensorflow()
    with one_line_in_a_pod():
        model = trial_model(json.loads(os.environ[MODEL]), os.environ[VALUES])
        with tempfile.TemporaryDirectory() as folder:
            for name in ("transformed_examples", "transform_graph"):
                object_store.download(f"{os.environ[TRANSFORMED]}/{name}", f"{folder}/{name}")
            _train(model, Path(folder))


def trial_model(common: Mapping[str, Any], values: str) -> ModelConfig:
    """Returns the configuration of this trial.

    Args:
        common: The configuration of all trials.
        values: YAML with a line `KEY: VALUE` for each key of the search.

    Raises:
        BadInput: The values do not fit together.
    """
    try:
        return with_values(ModelConfig.model_validate(common), parse_yaml(values))
    except YamlMistake as mistake:
        raise BadInput(f"search.space: {mistake.reason}") from None
    except ValidationError as error:
        raise BadInput(f"search.space: {error.errors()[0]['msg']}") from None


def _train(model: ModelConfig, folder: Path) -> None:
    import tensorflow_transform as tft
    from tfx import v1 as tfx

    from efficientmixnet.modules.trainer import training_job
    from efficientmixnet.modules.training.train_elsewhere import train_elsewhere

    fn_args = tfx.components.FnArgs(
        train_files=[f"{folder}/transformed_examples/Split-train/*"],
        eval_files=[f"{folder}/transformed_examples/Split-eval/*"],
        transform_graph_path=f"{folder}/transform_graph",
        custom_config={"checkpoints": f"{folder}/checkpoints"},
    )
    job = training_job(model, fn_args, tft.TFTransformOutput(fn_args.transform_graph_path))
    train_elsewhere(job, listener=Metrics())


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
