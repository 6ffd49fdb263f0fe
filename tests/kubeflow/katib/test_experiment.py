"""The search as a Katib Experiment, checked with Katib's published models."""

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner
from kubeflow_katib_api import models

from efficientmixnet.kubeflow.cli import kubeflow
from efficientmixnet.kubeflow.katib.experiment import experiment
from efficientmixnet.kubeflow.katib.trial import MODEL, TRANSFORMED, VALUES, Metrics, trial_model
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config

TRANSFORMED_URI = "minio://mlpipeline/root/digits/5f0c/Transform/1"
SEARCH: dict[str, Any] = {
    "name": "digits",
    "search": {
        "trials": 30,
        "workers": 4,
        "objective": "val_loss",
        "epochs": 3,
        "space": {
            "training.learning_rate": {"min": 0.0001, "max": 0.1, "sampling": "log"},
            "training.batch_size": {"min": 32, "max": 128, "step": 32},
            "network.drop_connect": [0, 0.1],
            "network.norm": ["bn", "an"],
            "training.optimizer": ["adam", {"name": "sgd", "momentum": 0.9}],
            "training.ema": [None, 0.999],
        },
    },
    "kubeflow": {"image": "registry.example.com/efficientmixnet:0.1.0", "trainer": {"gpus": 1}},
}


@pytest.fixture
def made() -> dict[str, Any]:
    return experiment(Config.model_validate(SEARCH), TRANSFORMED_URI)


def _parameters(made: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    return {one["name"]: (one["parameterType"], one["feasibleSpace"]) for one in made["spec"]["parameters"]}


def test_the_experiment_has_only_keys_of_katibs_model(made: dict[str, Any]) -> None:
    assert json.loads(models.V1beta1Experiment.from_dict(made).to_json()) == made


def test_each_dimension_becomes_a_parameter(made: dict[str, Any]) -> None:
    assert _parameters(made) == {
        "training-learning_rate": ("double", {"min": "0.0001", "max": "0.1", "distribution": "logUniform"}),
        "training-batch_size": ("int", {"min": "32", "max": "128", "step": "32"}),
        "network-drop_connect": ("discrete", {"list": ["0", "0.1"]}),
        "network-norm": ("categorical", {"list": ["bn", "an"]}),
        "training-optimizer": ("categorical", {"list": ["adam", "{momentum: 0.9, name: sgd}"]}),
        "training-ema": ("categorical", {"list": ["null", "0.999"]}),
    }


def test_the_experiment_has_the_objective_and_the_number_of_trials(made: dict[str, Any]) -> None:
    spec = made["spec"]
    assert spec["objective"] == {"type": "minimize", "objectiveMetricName": "val_loss"}
    assert (spec["maxTrialCount"], spec["parallelTrialCount"]) == (30, 4)
    assert spec["algorithm"]["algorithmName"] == "bayesianoptimization"


def test_a_trial_is_a_valid_job_with_the_trainers_resources(made: dict[str, Any]) -> None:
    job = made["spec"]["trialTemplate"]["trialSpec"]
    kubernetes_validate.validate({**job, "metadata": {"name": "trial"}}, "1.34", strict=True)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": "1"}
    assert container["name"] == made["spec"]["trialTemplate"]["primaryContainerName"]


def test_a_trial_trains_with_katibs_values(made: dict[str, Any]) -> None:
    template = made["spec"]["trialTemplate"]
    text = json.dumps(template["trialSpec"])
    chosen = {name: space.get("list", [space.get("max")])[-1] for name, (_, space) in _parameters(made).items()}
    for parameter in template["trialParameters"]:  # Katib replaces them in the trial's text
        text = text.replace(f"${{trialParameters.{parameter['name']}}}", chosen[parameter["reference"]])
    assert "trialParameters" not in text
    (container,) = json.loads(text)["spec"]["template"]["spec"]["containers"]
    # Katib joins the command to a shell line.
    assert " ".join(container["command"]) == "python -m efficientmixnet.kubeflow.katib.trial"
    environment = {one["name"]: one.get("value") for one in container["env"]}
    model = trial_model(json.loads(environment[MODEL]), environment[VALUES])
    assert environment[TRANSFORMED] == TRANSFORMED_URI
    training = model.training
    assert (training.learning_rate, training.batch_size, model.network.drop_connect) == (0.1, 128, 0.1)
    assert (model.network.norm.kind, training.optimizer["name"], training.ema) == ("an", "sgd", 0.999)
    assert training.epochs == 3


def test_every_epoch_prints_the_metrics_unrounded(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics()
    metrics.advance(64, {"epoch": 2, "epochs": 3, "accuracy": 0.8125, "loss": 0.7001})
    metrics.advance(
        0, {"epoch": 2, "epochs": 3, "accuracy": 0.8125, "loss": 0.7001, "val_accuracy": 0.97123456, "val_loss": 0.301}
    )
    assert capsys.readouterr().out == "val_accuracy=0.97123456\nval_loss=0.301\n"


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("search", {"space": {}}, r"search\.space: is empty"),
        ("search", {"algorithm": "hyperband"}, r"search\.algorithm: hyperband .* give bayesian or random"),
        ("search", {"space": {"network.norm": ["bn"], "training.ema": [0.5]}, "trials": 1}, None),
        ("kubeflow", {"image": None}, r"kubeflow\.image: is missing; give the container image"),
        (
            "network",
            {"weights": "latest"},
            r"network\.weights: latest could be a different model in each of Katib's trials",
        ),
    ],
)
def test_a_search_that_katib_cannot_run_is_refused(section: str, change: dict[str, Any], message: str | None) -> None:
    config = Config.model_validate({**SEARCH, section: {**SEARCH.get(section, {}), **change}})
    if message is None:
        assert experiment(config, TRANSFORMED_URI)["spec"]["maxTrialCount"] == 1
        return
    with pytest.raises(BadInput, match=message):
        experiment(config, TRANSFORMED_URI)


def test_a_trial_refuses_values_that_do_not_fit_together() -> None:
    common = Config().model_dump(mode="json", include={"network", "training"})
    with pytest.raises(BadInput, match=r"search\.space: "):
        trial_model(common, "training.schedule.warmup_epochs: 99\n")


def test_the_command_writes_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(SEARCH))
    arguments = ["search", str(tmp_path / "digits.yaml"), "--transformed", TRANSFORMED_URI, "--set", "search.trials=7"]
    done = CliRunner().invoke(kubeflow, [*arguments, "-o", str(tmp_path / "experiment.yaml")])
    assert (done.exit_code, done.output.count("7 trials")) == (0, 1), done.output
    assert yaml.safe_load((tmp_path / "experiment.yaml").read_text())["spec"]["maxTrialCount"] == 7
