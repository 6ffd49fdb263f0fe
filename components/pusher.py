"""Pusher: copies a blessed model, as the newest version, into the folder that servers read."""

import shutil
from pathlib import Path
from typing import Any

from tfx import v1 as tfx
from tfx.components.pusher import executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.utils import proto_utils

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.components.pushed_folder import push


class _Executor(executor.Executor):
    """Pushes as TFX's executor does, but a version's folder never holds half a model."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = tfx.proto.PushDestination()
        proto_utils.json_to_proto(exec_properties["push_destination"], destination)
        model = self.GetModelPath(input_dict)
        shutil.copytree(model, pushed.uri, dirs_exist_ok=True)  # first: if the disk is full, nothing is pushed
        version = push(Path(model), Path(destination.filesystem.base_directory))
        self._MarkPushed(pushed, pushed_destination=str(version), pushed_version=version.name)


class Pusher(tfx.components.Pusher):
    """TFX's Pusher. A version that exists is complete."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)


def pusher(
    model: tfx.types.BaseChannel,
    model_blessing: tfx.types.BaseChannel,
    folder: str,
    infra_blessing: tfx.types.BaseChannel | None = None,
) -> Pusher:
    """Returns the Pusher. Versions are subfolders named by time, as TensorFlow Serving expects.

    Args:
        model: The candidate model.
        model_blessing: The Evaluator's blessing.
        folder: The folder of the versions.
        infra_blessing: The InfraValidator's blessing, which is then also needed; None without an InfraValidator.
    """
    destination = tfx.proto.PushDestination(filesystem=tfx.proto.PushDestination.Filesystem(base_directory=folder))
    return Pusher(
        model=model, model_blessing=model_blessing, infra_blessing=infra_blessing, push_destination=destination
    )
