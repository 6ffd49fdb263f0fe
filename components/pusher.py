"""Pusher: a blessed model becomes the newest version in the folder that serving reads."""

from tfx import v1 as tfx


def pusher(
    model: tfx.types.BaseChannel,
    model_blessing: tfx.types.BaseChannel,
    folder: str,
    infra_blessing: tfx.types.BaseChannel | None = None,
) -> tfx.components.Pusher:
    """Each push is a subfolder named by its time, as TensorFlow Serving expects of versions.

    With InfraValidator's blessing both must bless the model.
    """
    destination = tfx.proto.PushDestination(filesystem=tfx.proto.PushDestination.Filesystem(base_directory=folder))
    return tfx.components.Pusher(
        model=model, model_blessing=model_blessing, infra_blessing=infra_blessing, push_destination=destination
    )
