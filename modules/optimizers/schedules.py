"""Learning-rate schedules: linear warm-up, then constant, cosine, exponential or step decay.

Steps are counted in integers as long as possible, so that float32 is exact up to ten million steps. Fractions are
computed from the remaining steps instead of 1 minus the fraction that is done.
"""

import math
from fractions import Fraction
from typing import Any

import keras
from keras import ops

SCHEDULES = ("constant", "cosine", "exponential", "flat-cosine", "step")
_MOST_STEPS = 2**31 - 1  # of int32; no training is longer


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """η(s) = learning_rate."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def __call__(self, step: Any) -> Any:
        return ops.convert_to_tensor(self.learning_rate, keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate}


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """η(s) = learning_rate · (f + (1 - f) · (1 + cos(π p)) / 2), with p from 0 to 1 between two steps.

    Args:
        learning_rate: The first rate.
        decay_steps: The step at which the rate reaches its end.
        flat_steps: The step at which the rate starts to fall.
        final_fraction: f, the fraction of the rate that remains at the end.
    """

    def __init__(
        self, learning_rate: float, decay_steps: int, flat_steps: int = 0, final_fraction: float = 0.0
    ) -> None:
        if not 0 <= flat_steps < decay_steps:
            raise ValueError(f"Cosine: flat_steps must be in [0, decay_steps), not {flat_steps} of {decay_steps}.")
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.flat_steps = flat_steps
        self.final_fraction = final_fraction

    def __call__(self, step: Any) -> Any:
        left = self.decay_steps - ops.clip(ops.cast(step, "int32"), self.flat_steps, self.decay_steps)
        left_fraction = ops.cast(left, keras.config.floatx()) / (self.decay_steps - self.flat_steps)  # 1 - p
        # (1 + cos(π p)) / 2 = sin²(π (1 - p) / 2), which keeps its digits where it is small
        fall = ops.square(ops.sin(math.pi / 2 * left_fraction))
        return self.learning_rate * (self.final_fraction + (1 - self.final_fraction) * fall)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "decay_steps": self.decay_steps,
            "flat_steps": self.flat_steps,
            "final_fraction": self.final_fraction,
        }


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Exponential(keras.optimizers.schedules.LearningRateSchedule):
    """η(s) = learning_rate · max(decay_rate^(s / decay_steps), final_fraction).

    Args:
        learning_rate: The first rate.
        decay_steps: The number of steps after which the rate is multiplied by `decay_rate`. It can be fractional.
        decay_rate: The factor.
        staircase: Whether the exponent is rounded down, so that the rate falls in steps.
        final_fraction: The smallest fraction of the first rate.
    """

    def __init__(
        self,
        learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        final_fraction: float = 0.0,
    ) -> None:
        if decay_steps <= 0 or decay_rate <= 0:
            raise ValueError(
                f"Exponential: decay_steps and decay_rate must be above 0, not {decay_steps} and {decay_rate}."
            )
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.final_fraction = final_fraction

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "int32")
        if self.staircase:
            # 2.4 epochs of 391 steps are 4692 / 5 steps. With integers, every stair is at its exact step.
            steps = _stair(self.decay_steps)
            exponent = ops.cast(step * steps.denominator // steps.numerator, keras.config.floatx())
        else:
            exponent = ops.cast(step, keras.config.floatx()) / self.decay_steps
        # Not a power: .97 is not exact in float32, and its 333rd power has only five correct digits.
        fall = ops.exp(exponent * math.log(self.decay_rate))
        return self.learning_rate * ops.maximum(fall, self.final_fraction)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "final_fraction": self.final_fraction,
        }


@keras.saving.register_keras_serializable(package="efficientmixnet")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """η(s) = s / warmup_steps · schedule(0) during the warm-up, then schedule(s - warmup_steps)."""

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, warmup_steps: int) -> None:
        if warmup_steps < 1:
            raise ValueError(f"WarmUp: warmup_steps must be 1 or more, not {warmup_steps}.")
        self.schedule = schedule
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "int32")
        rise = ops.cast(ops.minimum(step, self.warmup_steps), keras.config.floatx()) / self.warmup_steps
        return rise * self.schedule(ops.maximum(step - self.warmup_steps, 0))

    def get_config(self) -> dict[str, Any]:
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "warmup_steps": self.warmup_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["warmup_steps"])


def build_schedule(
    name: str,
    learning_rate: float,
    *,
    steps_per_epoch: int,
    epochs: float,
    warmup_epochs: float = 0.0,
    decay_rate: float = 0.97,
    decay_epochs: float = 2.4,
    final_fraction: float = 0.0,
    flat_fraction: float = 0.7,
    staircase: bool = False,
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Builds the schedule of a configuration. Arguments are in epochs, the schedule is in training steps.

    Args:
        name: "constant"; "cosine" to the last step; "exponential", `decay_rate` per `decay_epochs`; "step", the same in
            steps; or "flat-cosine", constant for `flat_fraction` of all steps, then cosine.
        learning_rate: The rate after the warm-up.
        steps_per_epoch: Training steps per epoch.
        epochs: The length of the training.
        warmup_epochs: The rate rises linearly from 0 over this many epochs, before the schedule starts.
        decay_rate: For "exponential" and "step": the factor per `decay_epochs`.
        decay_epochs: For "exponential" and "step": the epochs between two factors.
        flat_fraction: For "flat-cosine": the fraction of all steps before the decay.
        final_fraction: The fraction of the rate that remains at the end (cosine), or the smallest one (exponential,
            step).
        staircase: Whether "exponential" falls in steps, as in EfficientNet's code.

    Returns:
        A Keras learning-rate schedule.

    Raises:
        ValueError: There is no such schedule, or a number is out of range.

    Example:
        >>> round(float(build_schedule("cosine", 0.01, steps_per_epoch=4, epochs=10)(0)), 4)
        0.01
    """
    if name not in SCHEDULES:
        raise ValueError(f"schedule.name: there is no schedule {name!r}. Allowed: {', '.join(SCHEDULES)}.")
    total_steps = max(round(epochs * steps_per_epoch), 1)
    warmup_steps = round(warmup_epochs * steps_per_epoch)
    if warmup_steps >= total_steps and warmup_steps:
        raise ValueError(f"schedule.warmup_epochs: must be less than the {epochs:g} epochs of training.")
    total_steps = min(total_steps, _MOST_STEPS)
    warmup_steps = min(warmup_steps, total_steps - 1)
    steps = total_steps - warmup_steps
    schedule: keras.optimizers.schedules.LearningRateSchedule
    if name == "constant":
        schedule = Constant(learning_rate)
    elif name == "cosine":
        schedule = Cosine(learning_rate, steps, 0, final_fraction)
    elif name == "flat-cosine":
        flat_steps = min(max(round(flat_fraction * total_steps) - warmup_steps, 0), steps - 1)
        schedule = Cosine(learning_rate, steps, flat_steps, final_fraction)
    else:
        decay_steps = decay_epochs * steps_per_epoch
        schedule = Exponential(learning_rate, decay_steps, decay_rate, staircase or name == "step", final_fraction)
    return WarmUp(schedule, warmup_steps) if warmup_steps else schedule


def _stair(steps: float) -> Fraction:
    """Returns the length of a stair as a fraction of two int32, rounded to hundredths or, if it is long, to steps."""
    fraction = Fraction(steps).limit_denominator(100 if steps <= _MOST_STEPS // 100 else 1)
    return min(max(fraction, Fraction(1, 100)), Fraction(_MOST_STEPS))
