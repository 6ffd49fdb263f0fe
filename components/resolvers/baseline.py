"""Baseline: finds the latest blessed model that is older than the candidate."""

import math
from collections.abc import Mapping
from pathlib import Path

import ml_metadata
from tfx import types
from tfx import v1 as tfx

from efficientmixnet.modules import progress


class LatestBlessedBefore(tfx.dsl.experimental.ResolverStrategy):
    """TFX's LatestBlessedModelStrategy, for models that exist and are older than the candidate, if there is one.

    A candidate from the cache may itself be the latest blessed model. To compare it with itself, the evaluation would
    run again. With older models only, an unchanged run takes all results from the cache.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the inputs with the baseline model and its blessing only; without either if there is none."""
        before = min((model.id for model in input_dict.get("candidate", ())), default=math.inf)
        blessings = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in input_dict["model_blessing"]
            if blessing.get_int_custom_property("blessed") == 1
        }
        older = [model for model in input_dict["model"] if model.id in blessings and model.id < before]
        baseline = _latest(older)
        chosen: Mapping[str, list[types.Artifact]] = {
            "model": [baseline] if baseline else [],
            "model_blessing": [blessings[baseline.id]] if baseline else [],
        }
        return {**input_dict, **chosen}


def _latest(models: list[types.Artifact]) -> types.Artifact | None:
    """The latest model whose folder has not been deleted."""
    for model in sorted(models, key=lambda model: model.id, reverse=True):
        if Path(model.uri).is_dir():
            return model
        progress.tell(f"{model.uri}: the blessed model is missing; the one before it is used")
    return None


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
