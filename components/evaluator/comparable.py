"""comparable: leaves out a baseline model that takes images of another number of channels than the candidate."""

from collections.abc import Iterable

from tfx import types

from efficientmixnet.modules import progress
from efficientmixnet.modules.exported_model import SERVING_FOLDER, channels_of


def comparable(candidate: types.Artifact, baselines: Iterable[types.Artifact]) -> list[types.Artifact]:
    """Returns the baseline models that can predict the candidate's images, and prints a line for each of the others.

    Args:
        candidate: The candidate model.
        baselines: The baseline model, if there is one.
    """
    found = []
    channels = channels_of(f"{candidate.uri}/{SERVING_FOLDER}")
    for model in baselines:
        others = channels_of(f"{model.uri}/{SERVING_FOLDER}")
        if others == channels:
            found.append(model)
        else:
            progress.tell(f"the latest blessed model takes images of {others} channels, so it is not compared")
    return found
