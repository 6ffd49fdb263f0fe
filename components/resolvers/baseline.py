"""Baseline: finds the latest blessed model that is older than the candidate."""

from collections.abc import Mapping

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestBlessedBefore(tfx.dsl.experimental.ResolverStrategy):
    """TFX's LatestBlessedModelStrategy, for models older than the candidate only.

    A candidate from the cache may itself be the latest blessed model. To compare it with itself, the evaluation would
    run again. With older models only, an unchanged run takes all results from the cache.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the inputs with the baseline model and its blessing only; without either if there is none."""
        candidates = [model.id for model in input_dict["candidate"]]
        blessings = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in input_dict["model_blessing"]
            if blessing.get_int_custom_property("blessed") == 1
        }
        older = [model for model in input_dict["model"] if model.id in blessings and model.id < min(candidates)]
        baseline = max(older, key=lambda model: model.id, default=None)
        chosen: Mapping[str, list[types.Artifact]] = {
            "model": [baseline] if baseline else [],
            "model_blessing": [blessings[baseline.id]] if baseline else [],
        }
        return {**input_dict, **chosen}


def baseline(candidate: tfx.types.BaseChannel) -> tfx.dsl.Resolver:
    """Returns the node whose output `model` is the baseline model, or empty.

    Args:
        candidate: The candidate model.
    """
    return tfx.dsl.Resolver(
        strategy_class=LatestBlessedBefore,
        candidate=candidate,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
