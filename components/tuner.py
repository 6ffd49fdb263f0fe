"""Tuner: finds by trying which values some keys of the training should have."""

from typing import Any

from tfx import v1 as tfx


def tuner(
    examples: tfx.types.BaseChannel,
    transform_graph: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    custom_config: dict[str, Any],
    base_model: tfx.types.BaseChannel | None = None,
) -> tfx.components.Tuner:
    """`custom_config` is modules/tuner.py's; `best_hyperparameters` are for Trainer."""
    return tfx.components.Tuner(
        tuner_fn="efficientmixnet.modules.tuner.tuner_fn",
        examples=examples,
        transform_graph=transform_graph,
        schema=schema,
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config=custom_config,
        base_model=base_model,
    )
