"""TrainingConfig: the section `training` of the configuration."""

import importlib.util
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from efficientmixnet.modules.config.section import A_YEAR, MOST_EPOCHS, Fraction, Probability, Section
from efficientmixnet.modules.optimizers.specification import parse_optimizer

_AREAS = (0.5, 1.0)  # of a crop, as fractions of the image
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ScheduleConfig(Section):
    name: Literal["constant", "cosine", "exponential", "step", "flat-cosine"] = "cosine"
    """The schedule of the learning rate: constant, cosine, exponential, step or flat-cosine."""
    warmup_epochs: float = Field(0.0, ge=0)
    """The learning rate rises linearly from 0 over this many epochs."""
    decay_rate: float = Field(0.97, gt=0, le=1)
    """exponential and step: the factor that multiplies the learning rate after every decay_epochs."""
    decay_epochs: float = Field(2.4, ge=0.001, le=1e6)
    """exponential and step: the epochs between two multiplications by decay_rate."""
    final_fraction: Fraction = 0.0
    """cosine, flat-cosine, exponential and step: the lowest learning rate, as a fraction of the highest one."""
    flat_fraction: Fraction = 0.7
    """flat-cosine: the fraction of the training during which the learning rate stays at its highest value."""
    staircase: bool = False
    """exponential: the learning rate decreases in steps, as in EfficientNet's own code, instead of continuously."""


class AugmentationConfig(Section):
    crop_scale: tuple[float, float] | Literal["auto"] | None = "auto"
    """Random crops with an area between these fractions of the image; auto: [0.5, 1.0], or with training.budget
    fractions that depend on the epochs; null: the central square, as in evaluation."""
    flip: bool = True
    """Flips half of the images from left to right. Turn it off for digits or text."""
    randaugment_layers: int = Field(0, ge=0, le=10)
    """RandAugment: the number of operations for each image; 0: none."""
    randaugment_magnitude: float = Field(9.0, ge=0, le=10)
    """RandAugment: the strength of the operations, from 0 to 10."""
    erasing_probability: Fraction = 0.0
    """Random erasing: the fraction of images in which noise replaces a rectangle."""
    mixup_alpha: float = Field(0.0, ge=0, le=1000)
    """mixup: alpha of the Beta distribution; 0: no mixup."""
    cutmix_alpha: float = Field(0.0, ge=0, le=1000)
    """CutMix: alpha of the Beta distribution; 0: no CutMix."""

    @property
    def areas(self) -> tuple[float, float] | None:
        """The smallest and the largest area of a crop; None: no random crop."""
        return _AREAS if self.crop_scale == "auto" else self.crop_scale

    @model_validator(mode="after")
    def _crop_scale_is_a_range(self) -> "AugmentationConfig":
        if self.areas and not 0.001 <= self.areas[0] <= self.areas[1] <= 1:
            raise ValueError(f"crop_scale: {list(self.areas)} is not a range from 0.001 to 1, such as [0.5, 1.0]")
        return self


def _parsed_optimizer(value: Any) -> Any:
    return parse_optimizer(value, "training.optimizer")


class FineTuningConfig(Section):
    head_epochs: int | None = Field(None, ge=0, le=MOST_EPOCHS)
    """With network.weights: the first epochs, which train only the classifier; null: a fifth of all, at most 3."""
    learning_rate_fraction: float = Field(0.1, ge=1e-6, le=1)
    """The learning rate after the head_epochs, as a fraction of training.learning_rate."""
    layer_decay: float = Field(1.0, ge=0.01, le=1)
    """Each stage has this fraction of the next stage's learning rate, so that the first stages change least."""
    freeze_until: str | None = None
    """The first layer to train, such as stage5, head or predictions. Layers before it are frozen; null: none are."""
    frozen_norms: bool = True
    """Normalization layers keep their moving statistics, and bn its weights too. The weights of an and iebn train."""


class CheckpointConfig(Section):
    every_epochs: int = Field(1, ge=1, le=MOST_EPOCHS)
    """Writes a checkpoint after every n-th epoch."""
    every_minutes: float | None = Field(10.0, gt=0, le=A_YEAR)
    """Writes a checkpoint within an epoch when this many minutes have passed since the last one; null: never."""


class TrainingConfig(Section):
    backend: Literal["tensorflow", "jax"] = "tensorflow"
    """The Keras backend that trains: tensorflow or jax, which needs efficientmixnet[jax]."""
    recipe: Literal["efficientnet", "adamw-cosine", "ranger-flat-cosine"] | None = None
    """A preset for all keys that this file does not set: efficientnet, adamw-cosine, ranger-flat-cosine; null: none."""
    epochs: int = Field(10, ge=1, le=MOST_EPOCHS)
    """Passes over the training images."""
    budget: str | None = None
    """The time for training, such as 30m or 2h. It sets the epochs, and with network.variant auto the network; null:
    training.epochs counts."""
    batch_size: int = Field(64, ge=1, le=2**20)
    """Images in each training step."""
    batch_scope: Literal["global", "replica"] = "global"
    """global: batch_size counts the images of all devices together; replica: the images of each device."""
    learning_rate_scaling: Literal["linear", "sqrt", "none"] = "linear"
    """With batch_scope replica: how learning_rate grows with the number of devices: linear, sqrt or none."""
    distribution: Literal["auto", "none", "mirrored", "multi_worker"] = "auto"
    """none: one device; mirrored: all of a machine; multi_worker: those of all workers in a cluster; auto: all."""
    sharding: Literal["auto", "files", "records"] = "auto"
    """files: each worker reads its own files; records: all files, in the order of one device; auto: files if enough."""
    worker_timeout: float = Field(10.0, gt=0, le=A_YEAR)
    """Minutes that a worker waits for the other workers to start."""
    synchronized_norm: bool = True
    """With several devices: normalization layers use the statistics of the whole batch, as on one device."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"] = "float32"
    """float32, mixed_bfloat16 (faster on newer GPUs), mixed_float16 (for older GPUs, with loss scaling), or auto:
    mixed_bfloat16 on a GPU, float32 otherwise."""
    jit: bool | Literal["auto"] = "auto"
    """Whether XLA compiles the training step: true, false, or auto, which is true on one GPU only."""
    accumulation_steps: int = Field(1, ge=1, le=10_000)
    """Batches whose gradients make one update: like a larger batch_size, but with the memory of one batch."""
    steps_per_execution: int | None = Field(None, ge=1, le=10_000)
    """Training steps between two progress reports; null: 1 on CPUs, up to 8 on GPUs."""
    optimizer: Annotated[dict[str, Any], BeforeValidator(_parsed_optimizer)] = Field(
        default_factory=lambda: parse_optimizer("adam"), validate_default=True
    )
    """Any Keras optimizer, radam, lookahead, ranger or convmuon; with arguments: {name: lookahead, inner: {name:
    radam}}."""
    learning_rate: float = Field(0.001, gt=0, le=1000)
    """The highest learning rate of the schedule."""
    schedule: ScheduleConfig = ScheduleConfig()
    label_smoothing: Probability = 0.1
    """The fraction of each label that is spread evenly over all classes."""
    calibration: Literal["temperature", "none"] = "temperature"
    """temperature: makes confidence agree with accuracy, by images held out from the training split; none: does not."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: images of rare classes weigh more in the loss, as in scikit-learn; none: all images weigh the same."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Momentum of the exponential moving average of the weights, which is then evaluated and exported. It grows to this
    value with the updates; null: no average."""
    profile_steps: tuple[int, int] | None = None
    """TensorBoard profiles the training steps from the first to the second number, such as [20, 30]; null: none."""
    cache: Literal["auto", "never", "always"] = "auto"
    """Keeps decoded images in memory: always, never, or auto, if they fit into a quarter of the free memory."""
    augment_on: Literal["auto", "cpu", "device"] = "auto"
    """Where images are augmented after decoding and cropping: cpu, device, or auto: the device if it is not a CPU."""
    deterministic: bool = False
    """Every run on one device gives exactly the same weights, but training is somewhat slower."""
    early_stopping_patience: int | None = Field(None, ge=1, le=MOST_EPOCHS)
    """Stops after this many epochs without a lower evaluation loss; null: never."""
    seed: int = Field(0, ge=0, lt=2**32)
    """The seed of the initial weights, the order of the images and the augmentation."""
    fine_tuning: FineTuningConfig = FineTuningConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    augmentation: AugmentationConfig = AugmentationConfig()

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds."""
        return None if self.budget is None else float(self.budget[:-1]) * _UNITS[self.budget[-1]]

    @model_validator(mode="after")
    def _budget_is_a_time(self) -> "TrainingConfig":
        if self.budget is None:
            return self
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?[smhd]", self.budget) or not self.budget_seconds:
            raise ValueError(f"budget: {self.budget!r} is not a time such as 30m or 2h")
        if self.backend == "jax":
            raise ValueError("budget: needs backend tensorflow; set epochs for jax")
        return self

    @model_validator(mode="after")
    def _optimizer_leaves_other_keys_alone(self) -> "TrainingConfig":
        where, inner = "optimizer", self.optimizer
        while "inner" in inner:
            where, inner = f"{where}.inner", inner["inner"]
        if inner.get("gradient_accumulation_steps") is not None:
            raise ValueError(f"{where}.gradient_accumulation_steps: set training.accumulation_steps instead")
        for name in ("use_ema", "ema_momentum"):
            if name in inner and self.ema is not None:
                raise ValueError(f"{where}.{name}: training.ema is set, which decides it; keep one of them")
        for name in ("ema_momentum", "ema_overwrite_frequency"):
            if inner.get(name) is not None and self.ema is None and not inner.get("use_ema"):
                raise ValueError(f"{where}.{name}: has no effect without use_ema: true")
        return self

    @model_validator(mode="after")
    def _jax_is_installed(self) -> "TrainingConfig":
        if self.backend == "jax" and importlib.util.find_spec("jax") is None:
            raise ValueError("backend: jax is not installed; run pip install 'efficientmixnet[jax]'")
        return self

    @model_validator(mode="after")
    def _only_images_of_all_files_stay_in_memory(self) -> "TrainingConfig":
        if self.sharding == "files" and self.cache == "always":
            raise ValueError("cache: always needs sharding: auto or records, because each epoch reads other files")
        return self

    @model_validator(mode="after")
    def _profile_steps_are_a_range(self) -> "TrainingConfig":
        steps = self.profile_steps
        if steps and not 1 <= steps[0] <= steps[1] <= 10**9:
            raise ValueError(f"profile_steps: {list(steps)} is not a range from 1, such as [20, 30]")
        return self

    @model_validator(mode="after")
    def _warmup_ends(self) -> "TrainingConfig":
        if self.budget is None and self.schedule.warmup_epochs and self.schedule.warmup_epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_epochs: {self.schedule.warmup_epochs:g} must be less than the {self.epochs} epochs "
                "of the training"
            )
        return self
