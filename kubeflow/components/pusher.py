"""Pusher: copies a blessed model into the folder of pushed models, in an object store or on a volume."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.modules.exported_model import SERVING_FOLDER


@tfx.dsl.components.component
def Pusher(
    model: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    model_blessing: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ModelBlessing],
    pushed_model: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.PushedModel],
    pushed: tfx.dsl.components.Parameter[str],
) -> None:
    """Pushes a blessed model, unless it is there. The output artifact gets the same properties as TFX's Pusher's.

    It runs in every run: a cached task would name a model that may have been deleted since.

    Args:
        model: The candidate.
        model_blessing: Whether Evaluator blessed it.
        pushed_model: The record of the push.
        pushed: The folder of PushedModels.
    """
    blessed = model_blessing.get_int_custom_property("blessed") == 1
    pushed_model.set_int_custom_property("pushed", int(blessed))
    if not blessed:
        print("the model was not blessed, so it is not pushed")
        return
    version = PushedModels(pushed).push(f"{model.uri}/{SERVING_FOLDER}", to_uri(model.uri))
    pushed_model.set_string_custom_property("pushed_destination", f"{pushed}/{version}")
    pushed_model.set_string_custom_property("pushed_version", version)
    print(f"pushed to {pushed}/{version}")
