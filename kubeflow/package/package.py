"""package: compiles a TFX pipeline into the documents that Kubeflow Pipelines runs.

TFX's compiler does most of the work. This file changes its result:
- The command is our entry point (entrypoint.py), which gets the names of the component's outputs.
- A parameter from another task names that task. TFX appends `_task` to the name, and there is no such task.
- Root parameters keep their defaults, which TFX drops. A run can then use other images without a new package.
- The cluster's own tasks run without TFX (own_tasks.py), and the page of a run gets something to draw (ui_outputs.py).
- Tasks that always follow each other run in one pod (merge_tasks.py).
- Tasks that look something up are never cached, and every task has a retry policy. TFX supports neither.
- Every container gets its resources and environment here. TFX ignores them for some components.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tfx import v1 as tfx

from efficientmixnet.kubeflow.default_resources import DEFAULTS, Resources, default_resources
from efficientmixnet.kubeflow.package.backend_rules import check_package
from efficientmixnet.kubeflow.package.cluster_pipeline import NEVER_CACHED
from efficientmixnet.kubeflow.package.merge_tasks import merge_tasks
from efficientmixnet.kubeflow.package.own_tasks import use_own_tasks
from efficientmixnet.kubeflow.package.platform_spec import platform_spec
from efficientmixnet.kubeflow.package.requirements import Target
from efficientmixnet.kubeflow.package.ui_outputs import add_ui_outputs, of_tfx
from efficientmixnet.kubeflow.quantity import to_number
from efficientmixnet.kubeflow.tasks.task import TASKS
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig, PodConfig

COMMAND = ("python", "-m", "efficientmixnet.kubeflow.entrypoint")
# The package's parameters, and the component parameters that each one sets.
PARAMETERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "images": (("DataVersion", "images"), ("ImageExampleGen", "images"), ("Pusher", "images")),
    "manifest": (("DataVersion", "manifest"), ("ImageExampleGen", "manifest"), ("Pusher", "manifest")),
    "corrections": (("DataVersion", "corrections"), ("ImageExampleGen", "corrections")),
    "max_left_out": (("ImageExampleGen", "max_left_out"),),
    "pushed": (("PushedBefore", "pushed"), ("LatestPushed", "pushed"), ("Pusher", "pushed")),
}
# The platform document for each target. Vertex AI has none.
_PLATFORM_SPECS: Mapping[Target, Callable[[KubeflowConfig, list[str]], dict[str, Any]]] = {
    "oss": platform_spec,
    "vertex": lambda *_: {},
}
_GIGABYTE = 10**9


def package(pipeline: tfx.dsl.Pipeline, config: KubeflowConfig, target: Target) -> list[dict[str, Any]]:
    """Returns the package's documents.

    Args:
        pipeline: The pipeline, from cluster_pipeline.
        config: The section `kubeflow`.
        target: oss or vertex. Only oss gets a platform document.

    Raises:
        BadInput: Kubeflow Pipelines would refuse the package.
    """
    runner = tfx.orchestration.experimental.KubeflowV2DagRunner(
        config=tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(
            default_image=config.image, default_commands=list(COMMAND), use_pipeline_spec_2_1=True
        )
    )
    spec = runner.run(pipeline, write_out=False)["pipelineSpec"]
    spec["defaultPipelineRoot"] = config.pipeline_root
    use_own_tasks(spec)
    add_ui_outputs(spec)
    _expose_parameters(spec)
    for name, task in spec["root"]["dag"]["tasks"].items():
        _complete_task(task, config)
        if name in NEVER_CACHED:
            task["cachingOptions"] = {}
    defaults = config.default_resources and target == "oss"  # Vertex AI has its own.
    for name, component in spec["components"].items():
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        declared = sorted(component["outputDefinitions"]["artifacts"]) if name in TASKS else of_tfx(component)
        container["args"][:0] = ["--output_artifacts", json.dumps(declared), *_retries(config)]
        job = JobSettings.of(config, pipeline.pipeline_info.pipeline_name) if name == "Trainer" else None
        waits = name == "Trainer" and config.trains_in_a_job
        default = default_resources(name, waits) if defaults and name in DEFAULTS else None
        _complete_container(container, config, _resources(config.pod_of(name), default), job)
    merge_tasks(spec)
    check_package(spec)
    platform = _PLATFORM_SPECS[target](config, list(spec["components"]))
    return [spec, platform] if platform else [spec]


def _expose_parameters(spec: dict[str, Any]) -> None:
    """Turns constants of tasks into parameters of the package, with the constants as defaults."""
    definitions: dict[str, Any] = {}
    tasks = spec["root"]["dag"]["tasks"]
    for parameter, places in PARAMETERS.items():
        for component, name in places:
            inputs = tasks.get(component, {}).get("inputs", {}).get("parameters", {})
            if name not in inputs:  # not part of this pipeline
                continue
            kind = spec["components"][component]["inputDefinitions"]["parameters"][name]["parameterType"]
            default = inputs[name]["runtimeValue"]["constant"]
            definitions[parameter] = {"parameterType": kind, "defaultValue": default, "isOptional": True}
            inputs[name] = {"componentInputParameter": parameter}
    spec["root"]["inputDefinitions"] = {"parameters": definitions}


def _complete_task(task: dict[str, Any], config: KubeflowConfig) -> None:
    for value in task.get("inputs", {}).get("parameters", {}).values():
        if output := value.get("taskOutputParameter"):
            output["producerTask"] = output["producerTask"].removesuffix("_task")
    retries = config.retries
    if retries.count:
        task["retryPolicy"] = {
            "maxRetryCount": retries.count,
            "backoffDuration": f"{retries.backoff_seconds}s",
            "backoffFactor": retries.backoff_factor,
            "backoffMaxDuration": f"{retries.within_seconds}s",
        }


def _retries(config: KubeflowConfig) -> list[str]:
    retries = config.retries
    settings = {"count": retries.count, "pause": retries.backoff_seconds, "factor": retries.backoff_factor}
    return ["--retries", json.dumps(settings)] if retries.count else []


def _complete_container(
    container: dict[str, Any], config: KubeflowConfig, resources: Mapping[str, Any], job: JobSettings | None
) -> None:
    if resources:
        container["resources"] = dict(resources)
    environment = {**config.environment, **config.object_store.environment(), **(job.to_environment() if job else {})}
    if environment:
        container["env"] = [{"name": name, "value": value} for name, value in sorted(environment.items())]


def _resources(pod: PodConfig, default: Resources | None) -> dict[str, Any]:
    """The container's resources, memory in gigabytes. Without a request, Kubernetes requests the limit."""
    found: dict[str, Any] = {}
    if pod.cpu:
        found["cpuLimit"] = to_number(pod.cpu)
    elif default:
        found |= {"cpuRequest": to_number(default.cpu), "cpuLimit": to_number(default.cpu_limit)}
    if pod.memory:
        found["memoryLimit"] = to_number(pod.memory) / _GIGABYTE
    elif default:
        memory = {"memoryRequest": default.memory, "memoryLimit": default.memory_limit_with(pod.shared_memory)}
        found |= {key: to_number(value) / _GIGABYTE for key, value in memory.items()}
    if pod.gpus:
        found["accelerator"] = {"type": pod.gpu_type, "count": str(pod.gpus)}
    return found
