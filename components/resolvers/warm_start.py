"""WarmStart: the latest blessed model, for a training that starts where it ended."""

from tfx import v1 as tfx


def warm_start() -> tfx.dsl.Resolver:
    """Resolves `model`; before the first blessing there is none, and training starts anew."""
    return tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("WarmStart")
