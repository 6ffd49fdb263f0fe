"""Trainer: the network learns from the transformed images."""

from typing import Any

from tfx import v1 as tfx


def trainer(
    examples: tfx.types.BaseChannel,
    transform_graph: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    custom_config: dict[str, Any],
    base_model: tfx.types.BaseChannel | None = None,
    hyperparameters: tfx.types.BaseChannel | None = None,
) -> tfx.components.Trainer:
    """`custom_config` is modules/trainer.py's; every key that changes the model belongs into it.

    `base_model` is what training starts from, with network.weights latest; `hyperparameters` what a search has found.
    """
    return tfx.components.Trainer(
        run_fn="efficientmixnet.modules.trainer.run_fn",
        examples=examples,
        transform_graph=transform_graph,
        schema=schema,
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config=custom_config,
        base_model=base_model,
        hyperparameters=hyperparameters,
    )
