"""The model to beat: the latest blessed one that is older than the candidate."""

from collections.abc import Mapping

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestBlessedBefore(tfx.dsl.experimental.ResolverStrategy):
    """TFX's LatestBlessedModelStrategy, but for models older than the candidate alone.

    A candidate that comes from the cache may itself be the latest blessed model; compared with itself its evaluation
    would run anew. Looking only at what came before it, an unchanged run is answered from the cache to its end.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Leaves in `model` and `model_blessing` the one pair that is the baseline, or nothing."""
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
    """Resolves the `model` that the candidate has to beat; without one, Evaluator compares with nothing."""
    return tfx.dsl.Resolver(
        strategy_class=LatestBlessedBefore,
        candidate=candidate,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
