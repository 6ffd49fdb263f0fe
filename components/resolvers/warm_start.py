"""WarmStart: finds the latest blessed model, whose weights training starts from."""

from tfx import v1 as tfx

from efficientmixnet.components.resolvers.baseline import LatestBlessedBefore


def warm_start() -> tfx.dsl.Resolver:
    """Returns the node whose output `model` is the latest blessed model, or empty before the first blessing."""
    return tfx.dsl.Resolver(
        strategy_class=LatestBlessedBefore,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("WarmStart")
