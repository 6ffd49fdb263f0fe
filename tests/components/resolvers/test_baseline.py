"""The baseline is the latest blessed model older than the candidate."""

import pytest
from tfx import types
from tfx import v1 as tfx

from efficientmixnet.components.resolvers.baseline import LatestBlessedBefore


def _model(number: int) -> types.Artifact:
    model = tfx.types.standard_artifacts.Model()
    model.id = number
    return model


def _blessing(number: int, model: int, blessed: bool) -> types.Artifact:
    blessing = tfx.types.standard_artifacts.ModelBlessing()
    blessing.id = number
    blessing.set_int_custom_property("current_model_id", model)
    blessing.set_int_custom_property("blessed", int(blessed))
    return blessing


def _resolve(candidate: int, blessed: dict[int, bool]) -> tuple[list[int], list[int]]:
    """Returns the chosen model and the model of the chosen blessing. `blessed` has all evaluated models."""
    models = [_model(number) for number in sorted({candidate, *blessed})]
    resolved = LatestBlessedBefore().resolve_artifacts(
        None,
        {
            "candidate": [_model(candidate)],
            "model": models,
            "model_blessing": [_blessing(100 + model, model, word) for model, word in blessed.items()],
        },
    )
    assert [model.id for model in resolved["candidate"]] == [candidate]
    return (
        [model.id for model in resolved["model"]],
        [blessing.get_int_custom_property("current_model_id") for blessing in resolved["model_blessing"]],
    )


@pytest.mark.parametrize(
    ("blessed", "baseline"),
    [
        ({}, []),
        ({1: True}, [1]),
        ({1: True, 3: True}, [3]),
        ({3: True, 1: True}, [3]),
        ({1: True, 3: False}, [1]),
        ({1: False}, []),
        ({5: True}, []),
        ({1: True, 5: True}, [1]),
        ({1: True, 7: True}, [1]),
    ],
    ids=[
        "none yet",
        "one",
        "the later of two",
        "two in reverse order",
        "an unblessed one between",
        "only an unblessed one",
        "the candidate itself",
        "the candidate and an older one",
        "a later one, if the candidate comes from the cache",
    ],
)
def test_the_latest_blessed_model_before_the_candidate_is_chosen(blessed: dict[int, bool], baseline: list[int]) -> None:
    assert _resolve(5, blessed) == (baseline, baseline)
