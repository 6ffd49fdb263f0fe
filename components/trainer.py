"""Trainer: trains the network on the transformed images."""

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
    """Returns TFX's Trainer.

    Args:
        examples: The transformed examples.
        transform_graph: Transform's graph.
        schema: The schema of the examples.
        custom_config: The configuration that modules/trainer.py describes. Every key that changes the model belongs
            here, since TFX's cache depends on it.
        base_model: The model to start from if network.weights is latest.
        hyperparameters: The best hyperparameters of a search.
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
