"""task_component: a node of the TFX pipeline for one of the cluster's own tasks (kubeflow/tasks)."""

from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import component_spec


class TaskExecutor(base_executor.BaseExecutor):
    """Takes the place of an executor. package.py replaces it by the task's file, since the task does not import TFX."""

    def Do(self, *_: Any) -> None:
        raise NotImplementedError


def task_component(
    name: str,
    inputs: Mapping[str, types.BaseChannel],
    outputs: Mapping[str, type[types.Artifact]],
    **parameters: Any,
) -> base_component.BaseComponent:
    """Returns a component.

    Args:
        name: The task's name in the pipeline.
        inputs: The input channels by name.
        outputs: The types of the output artifacts by name.
        **parameters: The parameters, each a text, a number, or an output of another task.
    """
    spec = type(
        f"{name}Spec",
        (component_spec.ComponentSpec,),
        {
            "INPUTS": {key: component_spec.ChannelParameter(type=channel.type) for key, channel in inputs.items()},
            "OUTPUTS": {key: component_spec.ChannelParameter(type=kind) for key, kind in outputs.items()},
            "PARAMETERS": {
                key: component_spec.ExecutionParameter(type=type(value) if isinstance(value, int) else str)
                for key, value in parameters.items()
            },
        },
    )
    component = type(
        name,
        (base_component.BaseComponent,),
        {"SPEC_CLASS": spec, "EXECUTOR_SPEC": executor_spec.ExecutorClassSpec(TaskExecutor)},
    )
    channels = {key: tfx.dsl.Channel(type=kind) for key, kind in outputs.items()}
    return component(spec=spec(**inputs, **channels, **parameters))
