"""The baseline is the latest blessed model older than the candidate."""

import pytest
from tfx import types
from tfx import v1 as tfx

from efficientmixnet.components.resolvers.baseline import LatestBlessedBefore


def _model(number: int, deleted: tuple[int, ...] = ()) -> types.Artifact:
    model = tfx.types.standard_artifacts.Model()
    model.id = number
    model.uri = "/deleted" if number in deleted else "/"
    return model


def _blessing(number: int, model: int, blessed: bool) -> types.Artifact:
    blessing = tfx.types.standard_artifacts.ModelBlessing()
    blessing.id = number
    blessing.set_int_custom_property("current_model_id", model)
    blessing.set_int_custom_property("blessed", int(blessed))
    return blessing


def _resolve(candidate: int, blessed: dict[int, bool], deleted: tuple[int, ...] = ()) -> tuple[list[int], list[int]]:
    """Returns the chosen model and the model of the chosen blessing. `blessed` has all evaluated models."""
    models = [_model(number, deleted) for number in sorted({candidate, *blessed})]
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


@pytest.mark.parametrize(("deleted", "baseline"), [((3,), [1]), ((1,), [3]), ((1, 3), [])])
def test_a_deleted_model_is_passed_over(
    deleted: tuple[int, ...], baseline: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _resolve(5, {1: True, 3: True}, deleted) == (baseline, baseline)
    assert ("the blessed model is missing" in capsys.readouterr().out) == (3 in deleted)


def test_without_a_candidate_the_latest_blessed_model_is_chosen() -> None:
    models = [_model(number) for number in (1, 2, 3)]
    blessings = [_blessing(11, 1, True), _blessing(12, 2, True), _blessing(13, 3, False)]
    resolved = LatestBlessedBefore().resolve_artifacts(None, {"model": models, "model_blessing": blessings})
    assert [model.id for model in resolved["model"]] == [2]
    assert [blessing.id for blessing in resolved["model_blessing"]] == [12]
