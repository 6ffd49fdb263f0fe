"""What Trainer gets as custom_config: the network and how it is trained, checked before anything runs."""

import importlib.util
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from efficientmixnet.modules.config.section import Fraction, Probability, Section
from efficientmixnet.modules.optimizers.specification import parse_optimizer


class ScheduleConfig(Section):
    name: Literal["constant", "cosine", "exponential", "step", "flat-cosine"] = "cosine"
    """constant, cosine, exponential, step or flat-cosine."""
    warmup_epochs: float = Field(0.0, ge=0)
    """The learning rate rises linearly from 0 over so many epochs."""
    decay_rate: float = Field(0.97, gt=0, le=1)
    """exponential and step: the factor ..."""
    decay_epochs: float = Field(2.4, gt=0)
    """... after every so many epochs."""
    final_fraction: Fraction = 0.0
    """The share of the learning rate that is left at the end, or at least."""
    flat_fraction: Fraction = 0.7
    """flat-cosine: the share of the training before the fall."""
    staircase: bool = False
    """exponential: falls in steps, as EfficientNet's own code does."""


class AugmentationConfig(Section):
    crop_scale: tuple[float, float] | None = (0.5, 1.0)
    """Random crops of such shares of the image's area; null: none, the same square as in evaluation."""
    flip: bool = True
    """Left and right are swapped in every other image; no good for digits or text."""
    randaugment_layers: int = Field(0, ge=0, le=10)
    """RandAugment: operations an image; 0 for none."""
    randaugment_magnitude: float = Field(9.0, ge=0, le=10)
    """RandAugment: how strong, up to 10."""
    erasing_probability: Fraction = 0.0
    """Random erasing: the share of images with a rectangle blanked."""
    mixup_alpha: float = Field(0.0, ge=0)
    """mixup: alpha of the Beta distribution; 0 for none."""
    cutmix_alpha: float = Field(0.0, ge=0)
    """cutmix: alpha of the Beta distribution; 0 for none."""

    @model_validator(mode="after")
    def _crop_scale_is_a_range(self) -> "AugmentationConfig":
        if self.crop_scale and not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise ValueError(f"crop_scale: {list(self.crop_scale)} is no range within (0, 1], such as [0.5, 1.0]")
        return self


def _parsed_optimizer(value: Any) -> Any:
    return parse_optimizer(value, "training.optimizer")


class FineTuningConfig(Section):
    head_epochs: int | None = Field(None, ge=0)
    """With network.weights: so many epochs first for the classifier alone; null: a fifth of all, at most 3."""
    learning_rate_share: float = Field(0.1, gt=0, le=1)
    """In the epochs after those: the share of training.learning_rate at which everything learns that is not frozen."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Each stage learns at this share of the next one's learning rate, so that the first ones change least."""
    freeze_until: str | None = None
    """The layers before this one stay frozen, such as stage5, head or predictions; null: none."""
    frozen_norms: bool = True
    """Normalizations keep the statistics that they came with."""


class CheckpointConfig(Section):
    every_epochs: int = Field(1, ge=1)
    """A stopped training goes on from the last of so many epochs."""
    every_minutes: float | None = Field(10.0, gt=0)
    """Within an epoch, once so many minutes have passed since the last time; null: only between epochs."""


class TrainingConfig(Section):
    backend: Literal["tensorflow", "jax"] = "tensorflow"
    """What Keras trains with; jax, on one device, is installed with efficientmixnet[jax]."""
    recipe: Literal["efficientnet", "adamw-cosine", "ranger-flat-cosine"] | None = None
    """A preset for all keys that this file leaves out: efficientnet, adamw-cosine or ranger-flat-cosine."""
    epochs: int = Field(10, ge=1)
    """Passes over the training images."""
    batch_size: int = Field(64, ge=1)
    """Images a step."""
    batch_scope: Literal["global", "replica"] = "global"
    """Whether batch_size is of all devices together (global) or of each one (replica)."""
    learning_rate_scaling: Literal["linear", "sqrt", "none"] = "linear"
    """With batch_scope replica: how learning_rate, which is for one device, grows with their number."""
    distribution: Literal["auto", "none", "mirrored", "multi_worker"] = "auto"
    """none: one device; mirrored: all of this machine; multi_worker: those of TF_CONFIG; auto: as many as there are."""
    worker_timeout: float = Field(10.0, gt=0)
    """Minutes that a worker waits for the others to be there."""
    synchronized_norm: bool = True
    """On several devices: normalizations see the batch of all of them, so that their number changes nothing."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """float32, or on newer GPUs the faster mixed_bfloat16, or on older ones mixed_float16, with its loss scaled."""
    jit: bool | Literal["auto"] = "auto"
    """Whether XLA compiles the step, true or false; auto: on one GPU, but not on CPUs, where it is slower."""
    accumulation_steps: int = Field(1, ge=1)
    """So many batches make one update, as if batch_size were so many times larger, but in the memory of one."""
    steps_per_execution: int | None = Field(None, ge=1)
    """Steps between two looks at the progress; null: 1 on CPUs, up to 8 on GPUs."""
    optimizer: Annotated[dict[str, Any], BeforeValidator(_parsed_optimizer)] = Field(
        default_factory=lambda: parse_optimizer("adam"), validate_default=True
    )
    """Any of Keras's by name, radam, lookahead or ranger; with arguments: {name: lookahead, inner: {name: radam}}."""
    learning_rate: float = Field(0.001, gt=0)
    """The highest one of the schedule."""
    schedule: ScheduleConfig = ScheduleConfig()
    label_smoothing: Probability = 0.1
    """Share of the label's weight that is spread over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: images of rare classes count more, so that every class counts the same in all; none: all the same."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Momentum of an exponential moving average of the weights, which is what gets exported; null for none."""
    profile_steps: tuple[int, int] | None = None
    """TensorBoard profiles from the first to the second of these steps, such as [20, 30]; null: none."""
    cache: Literal["auto", "never", "always"] = "auto"
    """Whether decoded images stay in memory from the first epoch on; auto: if a quarter of what is free will do."""
    deterministic: bool = False
    """On one device the same bits at every run, and somewhat slower."""
    early_stopping_patience: int | None = Field(None, ge=1)
    """Stop after so many epochs without a lower evaluation loss; null: never."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Of the weights, the order of the images and the augmentation."""
    fine_tuning: FineTuningConfig = FineTuningConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    augmentation: AugmentationConfig = AugmentationConfig()

    @model_validator(mode="after")
    def _jax_is_there_and_trains_alone(self) -> "TrainingConfig":
        if self.backend == "jax":
            if self.distribution in ("mirrored", "multi_worker"):
                raise ValueError(
                    f"distribution: {self.distribution} needs backend tensorflow; jax trains on one device"
                )
            if importlib.util.find_spec("jax") is None:
                raise ValueError("backend: jax is not installed; pip install 'efficientmixnet[jax]'")
        return self

    @model_validator(mode="after")
    def _warmup_ends(self) -> "TrainingConfig":
        if self.schedule.warmup_epochs and self.schedule.warmup_epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_epochs: {self.schedule.warmup_epochs:g} epochs of warm-up leave nothing of the "
                f"{self.epochs} epochs of training"
            )
        return self
