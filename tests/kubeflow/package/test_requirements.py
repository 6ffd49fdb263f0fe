"""What a cluster could not run is refused when the package is compiled, by key and with the cure."""

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
        ({"image": None}, "kubeflow.image: name the container image (--image"),
        ({"image": "docker://x"}, "kubeflow.image: 'docker://x' is no image's name"),
        ({"pipeline_root": None}, "kubeflow.pipeline_root: name where artifacts are kept"),
        ({"pipeline_root": "/data/runs"}, "kubeflow.pipeline_root: '/data/runs' is no place that every pod can reach"),
        ({"pipeline_root": "minio://"}, "kubeflow.pipeline_root: 'minio://' is no place"),
        ({"pushed": "models"}, "kubeflow.pushed: 'models' is neither in an object store nor an absolute path"),
        ({"pushed": "/models"}, "kubeflow.pushed: /models lies on none of kubeflow.volumes"),
        ({"checkpoints": "/mnt/images-of-2019"}, "kubeflow.checkpoints: /mnt/images-of-2019 lies on none"),
        ({"trainer": {"gpus": 1, "gpu_type": "NVIDIA_TESLA_T4"}}, "kubeflow.trainer.gpu_type: NVIDIA_TESLA_T4 is Ver"),
    ],
)
def test_a_lack_is_named_by_its_key_with_the_cure(config: Config, changed: dict[str, Any], line: str) -> None:
    check(config, "oss")
    with pytest.raises(BadInput) as error:
        check(_config(config, **changed), "oss")
    assert line in str(error.value)


def test_a_vertex_root_must_be_googles(config: Config) -> None:
    with pytest.raises(BadInput) as error:
        check(config, "vertex")
    for line in (
        "'minio://mlpipeline/efficientmixnet' is no place",
        "Vertex AI knows no nvidia.com/gpu",
        "has neither",
    ):
        assert line in str(error.value)


def test_images_in_a_store_need_its_endpoint_and_unseen_ones_a_threshold(config: Config) -> None:
    values = _config(config, object_store={}).model_dump(mode="json")
    values["data"]["images"] = "minio://bucket/digits"
    values["evaluation"]["thresholds"] = {}
    with pytest.raises(BadInput) as error:
        check(Config.model_validate(values), "oss")
    assert "data.images: minio://bucket/digits needs kubeflow.object_store.endpoint" in str(error.value)
    assert "evaluation.thresholds.accuracy: the images cannot be seen from here" in str(error.value)


def test_of_images_in_spans_the_latest_is_looked_at(config: Config, tmp_path: Path) -> None:
    values = config.model_dump(mode="json")
    values["data"]["images"] = f"{tmp_path}/day-{{SPAN}}"
    values["evaluation"]["thresholds"] = {}
    growing = Config.model_validate(values)
    with pytest.raises(BadInput, match=r"evaluation\.thresholds\.accuracy: the images cannot be seen from here"):
        check(growing, "oss")
    (tmp_path / "day-3").mkdir()
    check(growing, "oss")


def test_a_cluster_learns_from_earlier_spans_and_models_too(config: Config) -> None:
    values = config.model_dump(mode="json")
    values["network"]["weights"] = "latest"
    values["data"] |= {"images": "/mnt/images/{SPAN}", "training_spans": 7}
    check(Config.model_validate(values), "oss")


def test_images_beside_the_volumes_are_worth_a_note(config: Config) -> None:
    assert list(notes(config)) == []
    elsewhere = config.model_copy(update={"data": config.data.model_copy(update={"images": "/data/digits"})})
    assert list(notes(elsewhere)) == [
        "data.images: /data/digits lies on none of kubeflow.volumes; pods must see it there all the same"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("trainer: {gpus: 1, gpu_type: nvidia}", "kubeflow.trainer.gpu_type: 'nvidia' is no GPU that a cluster could"),
        ("environment: {DB_PASSWORD: hunter2}", "environment.DB_PASSWORD: looks like a secret's value"),
        (
            "pod: {memory: lots}",
            "kubeflow.pod.memory: should be a quantity of Kubernetes, such as 500m, 64G or 8Gi, not 'lots'",
        ),
        ("pod: {cpus: 4}", "kubeflow.pod.cpus: no such key; did you mean kubeflow.pod.cpu?"),
        ("secrets: [{name: my-store}]", "kubeflow.secrets.0.environment: give it"),
        ("volumes: [{claim: Images, path: /mnt}]", "kubeflow.volumes.0.claim: should be a name of Kubernetes"),
        ("volumes: [{claim: a, path: /x}, {claim: a, path: /y}]", "kubeflow.volumes: 'a' is mounted twice"),
        ("trainer: {gpus: -1}", "kubeflow.trainer.gpus: should be greater than or equal to 0"),
    ],
)
def test_the_section_itself_is_checked_like_every_other(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(f"kubeflow: {{{text}}}\n")
    with pytest.raises(BadInput) as error:
        load_config(str(file))
    assert line in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(("platform", "why"), [("docker", "pods have no Docker"), ("kubernetes", "in the task's own")])
def test_a_cluster_cannot_start_a_server_with_the_model(config: Config, platform: str, why: str) -> None:
    values = config.model_dump(mode="json") | {"serving": {"infra_validator": platform}}
    with pytest.raises(BadInput, match=f"serving.infra_validator: .*{why}"):
        check(Config.model_validate(values), "oss")


def test_the_command_says_it_in_its_own_words(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("data: {images: /none}\n")
    result = CliRunner().invoke(kubeflow, ["compile", str(file)])
    assert isinstance(result.exception, BadInput)
    assert str(result.exception).count("\n") == 3
