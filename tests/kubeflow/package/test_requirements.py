"""A configuration that a cluster could not run is refused. Each error names the key and the cure."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from efficientmixnet.kubeflow.cli import kubeflow
from efficientmixnet.kubeflow.package.requirements import check, notes
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config, load_config


def _config(config: Config, **changed: Any) -> Config:
    values = config.model_dump(mode="json")
    return Config.model_validate(values | {"kubeflow": values["kubeflow"] | changed})


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"image": None}, "kubeflow.image: is missing; build a container image"),
        ({"image": "docker://x"}, "kubeflow.image: 'docker://x' is not the name of a container image"),
        ({"pipeline_root": None}, "kubeflow.pipeline_root: is missing; give a folder"),
        (
            {"pipeline_root": "/data/runs"},
            "kubeflow.pipeline_root: '/data/runs' is not a folder that every pod can reach",
        ),
        ({"pipeline_root": "minio://"}, "kubeflow.pipeline_root: 'minio://' is not a folder"),
        (
            {"checkpoints": "/mnt/images/digits/checkpoints"},
            "kubeflow.checkpoints: /mnt/images/digits/checkpoints is below data.images",
        ),
        ({"pushed": "/mnt/images/digits/"}, "kubeflow.pushed: /mnt/images/digits/ is below data.images"),
        ({"pushed": "models"}, "kubeflow.pushed: 'models' is neither in an object store nor an abs"),
        ({"pushed": "/models"}, "kubeflow.pushed: /models would be lost with the pod; give"),
        ({"checkpoints": "/mnt/images-of-2019"}, "kubeflow.checkpoints: /mnt/images-of-2019 would be lost"),
        (
            {"trainer": {"gpus": 1, "gpu_type": "NVIDIA_TESLA_T4"}},
            "kubeflow.trainer.gpu_type: Kubernetes has no NVIDIA",
        ),
    ],
)
def test_each_problem_is_named_by_its_key(config: Config, changed: dict[str, Any], line: str) -> None:
    check(config, "oss")
    with pytest.raises(BadInput) as error:
        check(_config(config, **changed), "oss")
    assert line in str(error.value)


def test_vertex_needs_its_own_root_and_gpu_types(config: Config) -> None:
    with pytest.raises(BadInput) as error:
        check(config, "vertex")
    for line in (
        "'minio://mlpipeline/efficientmixnet' is not a folder",
        "Vertex AI has no nvidia.com/gpu",
        "has neither",
    ):
        assert line in str(error.value)


def test_images_in_a_store_need_an_endpoint_and_a_threshold(config: Config) -> None:
    values = _config(config, object_store={}).model_dump(mode="json")
    values["data"]["images"] = "minio://bucket/digits"
    values["evaluation"]["thresholds"] = {}
    with pytest.raises(BadInput) as error:
        check(Config.model_validate(values), "oss")
    assert "data.images: minio://bucket/digits needs kubeflow.object_store.endpoint" in str(error.value)
    assert "evaluation.thresholds.accuracy: is missing, and the fraction of the most frequent class is unknown" in str(
        error.value
    )


def test_a_span_on_this_machine_needs_no_threshold(config: Config, tmp_path: Path) -> None:
    values = config.model_dump(mode="json")
    values["data"]["images"] = f"{tmp_path}/day-{{SPAN}}"
    values["evaluation"]["thresholds"] = {}
    growing = Config.model_validate(values)
    with pytest.raises(BadInput, match=r"evaluation\.thresholds\.accuracy: is missing"):
        check(growing, "oss")
    (tmp_path / "day-3").mkdir()
    check(growing, "oss")


def test_earlier_spans_and_models_are_allowed(config: Config) -> None:
    values = config.model_dump(mode="json")
    values["network"]["weights"] = "latest"
    values["data"] |= {"images": "/mnt/images/{SPAN}", "training_spans": 7}
    check(Config.model_validate(values), "oss")


def test_images_outside_of_the_volumes_give_a_warning(config: Config) -> None:
    assert list(notes(config)) == []
    elsewhere = config.model_copy(update={"data": config.data.model_copy(update={"images": "/data/digits"})})
    assert list(notes(elsewhere)) == [
        "data.images: /data/digits is not on a volume in kubeflow.volumes; make sure that the pods can read it"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "trainer: {gpus: 1, gpu_type: nvidia}",
            "kubeflow.trainer.gpu_type: 'nvidia' is not the name of a GPU resource",
        ),
        ("environment: {DB_PASSWORD: hunter2}", "environment.DB_PASSWORD: looks like a secret"),
        (
            "pod: {memory: lots}",
            "kubeflow.pod.memory: should be a Kubernetes quantity, such as 500m, 64G or 8Gi, not 'lots'",
        ),
        ("pod: {cpus: 4}", "kubeflow.pod.cpus: no such key; did you mean kubeflow.pod.cpu?"),
        ("secrets: [{name: my-store}]", "kubeflow.secrets.0.environment: give environment, such as"),
        ("volumes: [{claim: Images, path: /mnt}]", "kubeflow.volumes.0.claim: should be a Kubernetes name"),
        ("volumes: [{claim: a, path: /x}, {claim: a, path: /y}]", "kubeflow.volumes: 'a' is mounted twice"),
        ("trainer: {gpus: -1}", "kubeflow.trainer.gpus: should be greater than or equal to 0"),
    ],
)
def test_each_key_of_the_section_is_checked(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(f"kubeflow: {{{text}}}\n")
    with pytest.raises(BadInput) as error:
        load_config(str(file))
    assert line in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(("platform", "why"), [("docker", "pods have no Docker"), ("kubernetes", "in the task's pod")])
def test_the_infra_validator_is_refused(config: Config, platform: str, why: str) -> None:
    values = config.model_dump(mode="json") | {"serving": {"infra_validator": platform}}
    with pytest.raises(BadInput, match=f"serving.infra_validator: .*{why}"):
        check(Config.model_validate(values), "oss")


def test_the_command_lists_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("data: {images: /none}\n")
    result = CliRunner().invoke(kubeflow, ["compile", str(file)])
    assert result.exit_code == 2
    assert result.output.count("\n") == 5  # what the command does, and the problems


def test_an_unknown_target_is_refused(config: Config) -> None:
    with pytest.raises(BadInput, match=r"^--target gke: is unknown; give one of oss, vertex$"):
        check(config, "gke")
