"""Pusher: copies a blessed model, as the newest version, into the folder that servers read."""

from tfx import v1 as tfx


def pusher(
    model: tfx.types.BaseChannel,
    model_blessing: tfx.types.BaseChannel,
    folder: str,
    infra_blessing: tfx.types.BaseChannel | None = None,
) -> tfx.components.Pusher:
    """Returns TFX's Pusher. Versions are subfolders named by time, as TensorFlow Serving expects.

    Args:
        model: The candidate model.
        model_blessing: The Evaluator's blessing.
        folder: The folder of the versions.
        infra_blessing: The InfraValidator's blessing, which is then also needed; None without an InfraValidator.
    """
    destination = tfx.proto.PushDestination(filesystem=tfx.proto.PushDestination.Filesystem(base_directory=folder))
    return tfx.components.Pusher(
        model=model, model_blessing=model_blessing, infra_blessing=infra_blessing, push_destination=destination
    )
