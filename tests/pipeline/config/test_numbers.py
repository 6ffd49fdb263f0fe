"""Tests of the numbers of a configuration: their types and limits."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from efficientmixnet.modules.config.section import kinds
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config, load_config


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epochs=1000000000", "training.epochs: should be less than or equal to 1000000"),
        (f"training.epochs={'9' * 4000}", "training.epochs: should be less than or equal to 1000000, not 9"),
        ("training.batch_size=99999999", "training.batch_size: should be less than or equal to 1048576"),
        ("training.learning_rate=1e300", "training.learning_rate: should be less than or equal to 1000"),
        (f"training.learning_rate={'9' * 4000}", "training.learning_rate: should be a valid number, not 9"),
        ("training.learning_rate=.nan", "training.learning_rate: should be a finite number, not nan"),
        ("training.learning_rate=true", "training.learning_rate: should be a number, not True"),
        ("training.epochs=yes", "training.epochs: should be a number, not True"),
        ("training.worker_timeout=1e300", "training.worker_timeout: should be less than"),
        ("training.steps_per_execution=1000000000", "training.steps_per_execution: should be less than"),
        ("training.accumulation_steps=1000000000", "training.accumulation_steps: should be less than"),
        ("training.profile_steps=[5, 2]", "training.profile_steps: [5, 2] is not a range from 1"),
        ("training.profile_steps=[-1, 2]", "training.profile_steps: [-1, 2] is not a range from 1"),
        ("training.schedule.decay_epochs=1e-300", "training.schedule.decay_epochs: should be greater than"),
        ("training.augmentation.mixup_alpha=1e30", "training.augmentation.mixup_alpha: should be less than"),
        ("training.augmentation.crop_scale=[1e-9, 1]", "training.augmentation.crop_scale: [1e-09, 1.0] is not a range"),
        ("training.checkpoint.every_minutes=1e300", "training.checkpoint.every_minutes: should be less than"),
        ("training.fine_tuning.layer_decay=1e-300", "training.fine_tuning.layer_decay: should be greater than"),
        ("training.optimizer={name: adam, epsilon: 1e300}", "training.optimizer.epsilon: expected a number of 0 or"),
        ("network.image_size=1000000", "network.image_size: should be less than or equal to 8192"),
        ("network.crop_fraction=1e-9", "network.crop_fraction: should be greater than or equal to 0.1"),
        ("network={variant: custom, width: 1e300, blocks: [r1_k3_s11_e1_i32_o16]}", "network.width: should be less"),
        ("network={variant: custom, blocks: [r99999999_k3_s11_e1_i32_o16]}", "network.blocks: 99,999,999 blocks are"),
        ("network={variant: custom, blocks: [r1_k3_s11_e1_i32_o99999999]}", "weights are too many; lower the filters"),
        ("network={variant: custom, blocks: [r1_k99999_s11_e1_i32_o16]}", "weights are too many; lower the filters"),
        (
            f"network={{variant: custom, blocks: [r1_k3_s11_e1_i{'9' * 5000}_o16]}}",
            "network.blocks: block string 'r1_k3",
        ),
        ("network.norm={kind: an, n_mixture: 99999}", "network.norm.n_mixture: 99,999 is too many"),
        ("data.splits={train: 1e308, eval: 0.2}", "data.splits.train: should be less than or equal to 1000000"),
        ("data.splits={train: 1, eval: 1e-9}", "data.splits.eval: 1e-09 of 1 is less than a millionth"),
        ("data.splits={train: yes, eval: 1}", "data.splits: should be a number"),
        ("data.channels=99999", "data.channels: 99999 is neither a number from 1 to 1,000 nor auto"),
        ("data.bands=[0, 1, 99999]", "data.bands: 99999 is not one of the channels 0 to 2"),
        ("data.max_pixels=999999999999999999999", "data.max_pixels: should be less than or equal to 536870911"),
        ("data.layout.span=99999999999999999999", "data.layout.span: should be less than"),
        ("data.training_spans=1000000000", "data.training_spans: should be less than"),
        ("evaluation.thresholds={loss: 0}", "evaluation.thresholds.loss: should be above 0"),
        ("evaluation.thresholds={accuracy: yes}", "evaluation.thresholds: should be a number"),
        ("evaluation.tolerances={accuracy: 5}", "evaluation.tolerances.accuracy: should be from 0 to 1, such as 0.01"),
        ("evaluation.min_slice_size=99999999999", "evaluation.min_slice_size: should be less than"),
        ("search.trials=99999999999", "search.trials: should be less than"),
        ("search.workers=99999", "search.workers: should be less than"),
        ("search.space={training.learning_rate: {min: 0.1, max: 0.2, step: 5}}", "step: 5 is more than the range"),
        ("beam.timeout=1e300", "beam.timeout: should be less than"),
        ("report.price_per_hour=1e300", "report.price_per_hour: should be less than"),
        ("kubeflow.pod.gpus=99999", "kubeflow.pod.gpus: should be less than"),
        (f"kubeflow.pod.memory={'9' * 30}", "kubeflow.pod.memory: should be a Kubernetes quantity"),
        ("kubeflow.retries.backoff_factor=1e300", "kubeflow.retries.backoff_factor: should be less than"),
        ("kubeflow.retries.within_seconds=99999999999", "kubeflow.retries.within_seconds: should be less than"),
        ("kubeflow.trainer={restarts: 99999999}", "kubeflow.trainer.restarts: should be less than"),
    ],
)
def test_a_number_that_cannot_work_is_refused_in_one_line(override: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [override])
    first, second = str(caught.value).splitlines()
    assert first == "configuration: 1 problem found"
    assert line in second
    assert len(second) < 600


def test_true_is_allowed_where_a_key_takes_it() -> None:
    config = load_config(None, ["training.jit=true", "training.augmentation.flip=no", "training.deterministic=yes"])
    assert (config.training.jit, config.training.augmentation.flip, config.training.deterministic) == (
        True,
        False,
        True,
    )


def test_every_number_has_an_upper_limit() -> None:
    """Finds numbers that a new key forgets to limit."""

    def numbers(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
        for name, field in section.model_fields.items():
            found = kinds(field.annotation)
            for inner in found:
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from numbers(inner, f"{prefix}{name}.")
            if found & {int, float}:
                yield f"{prefix}{name}", f"{field.metadata} {field.annotation}"

    by_hand = {  # checked together with other keys, or with the images
        *("data.channels", "data.bands"),
        *("training.schedule.warmup_epochs", "training.augmentation.crop_scale", "training.profile_steps"),
        *("evaluation.thresholds", "evaluation.tolerances", "evaluation.slice_thresholds"),
        *("evaluation.slice_tolerances", "search.space.min", "search.space.max", "search.space.step"),
    }
    found = dict(numbers(Config, ""))
    assert by_hand < found.keys()
    unlimited = {key for key, about in found.items() if "Le(" not in about and "Lt(" not in about}
    assert unlimited == by_hand
