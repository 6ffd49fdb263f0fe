"""The networks and optimizers of ablation.py's candidates, and how many operations a training takes."""

from typing import Any

import keras
from ablation_candidates import Candidate, Scale, Stage
from cifar_images import SIDE

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder
from efficientmixnet.modules.network.cost import NetworkSummary, summarize
from efficientmixnet.modules.network.variants import Variant
from efficientmixnet.modules.optimizers import build_optimizer
from efficientmixnet.modules.optimizers.schedules import build_schedule

CLASSES = 10
NOT_DECAYED = ["bias", "gamma", "beta"]


def network(candidate: Candidate, scale: Scale) -> keras.Model:
    """uint8 images [B, 32, 32, 3] -> logits [B, 10]."""
    images = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    builder = EfficientNetBuilder(
        input_tensor=keras.layers.Rescaling(1 / 64, -2.0)(images),
        classes=CLASSES,
        drop_connect_rate=0.1,
        activation=candidate.activation,
        norm=_norm(candidate),
        squeeze_excite=candidate.squeeze_excite,
        stem_stride=scale.stem_stride,
        batch_norm_momentum=0.9,  # the statistics must follow within a small budget
        classifier_activation=None,
    )
    return builder.custom_model(
        _blocks(candidate, scale),
        scale.width,
        scale.depth,
        dropout_rate=0.2,
        stem_filters=scale.stem_filters,
        head_filters=scale.head_filters,
    )


def operations(candidate: Candidate, scale: Scale, images: int) -> float:
    """Returns the floating-point operations of a training on so many images, those of all epochs.

    A multiply-add is two operations, and training makes three for each one of the network, as in budget.py: the
    network's own, those of the gradients at its inputs, and those at its weights.
    """
    return 3.0 * 2 * summary(candidate, scale).multiply_adds * images


def summary(candidate: Candidate, scale: Scale) -> NetworkSummary:
    """Returns the parameters and multiply-adds of the network."""
    variant = Variant(
        "ablation",
        _blocks(candidate, scale),
        scale.width,
        scale.depth,
        stem_filters=scale.stem_filters,
        head_filters=scale.head_filters,
        stem_stride=scale.stem_stride,
    )
    return summarize(
        variant,
        input_shape=(SIDE, SIDE, 3),
        classes=CLASSES,
        activation=candidate.activation,
        norm=_norm(candidate),
        squeeze_excite=candidate.squeeze_excite,
    )


def _blocks(candidate: Candidate, scale: Scale) -> tuple[BlockArgs, ...]:
    def block(stage: Stage) -> BlockArgs:
        return BlockArgs(
            stage.inputs,
            stage.outputs,
            stage.mixed if candidate.mixed else stage.kernel,
            stage.stride,
            num_repeat=stage.repeats,
            expand_ratio=stage.expand,
            se_ratio=None if stage.fused else 0.25,
            fused=stage.fused,
        )

    return tuple(map(block, scale.stages))


def _norm(candidate: Candidate) -> Norm:
    return Norm(candidate.norm, placement=candidate.placement, init=candidate.init)


def schedule(
    candidate: Candidate, rate: float, steps: int, epochs: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Returns a warm-up over a tenth of the epochs, at most three, and half a cosine."""
    warmup_epochs = min(3, epochs / 10) if candidate.warmup else 0
    return build_schedule("cosine", rate, steps_per_epoch=steps, epochs=epochs, warmup_epochs=warmup_epochs)


def optimizer(candidate: Candidate, decay: float, rate: Any) -> keras.optimizers.Optimizer:
    """Returns the candidate's optimizer. The rate is a number or a schedule."""
    decays: dict[str, Any] = {"weight_decay": decay, "exclude_from_weight_decay": NOT_DECAYED}
    match candidate.optimizer:
        case "lookahead":
            return build_optimizer({"name": "lookahead", "inner": {"name": "adam", **decays}}, rate)
        case "sgd":
            return build_optimizer({"name": "sgd", "momentum": 0.9, "nesterov": True, **decays}, rate)
        case name:
            return build_optimizer({"name": name, **decays}, rate)
