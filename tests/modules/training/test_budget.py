"""A budget chooses the largest network that this machine can train, says why, and keeps its choice."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras
import pytest
from budget_job import BLOCKS, CUSTOM, OneDevice, job_for

from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.training import budget
from efficientmixnet.modules.training.budget import candidates, within_budget
from efficientmixnet.modules.training.measure_network import Speed
from efficientmixnet.modules.training.training_job import TrainingJob


def test_candidates_for_small_images_have_fused_blocks_and_grow() -> None:
    rungs = candidates(NetworkConfig.model_validate({"variant": "auto", "image_size": 32}))
    assert [rung.name for rung in rungs] == ["tiny", "small", "medium", "large", "extra large", "huge"]
    assert all(block.fused for rung in rungs for block in rung.network.as_variant().blocks)
    # 32 filters: 3 x 3 x 3 x 16 weights on 32 x 32 pixels in the stem of "small", and so on; 15 million by hand.
    assert 13e6 < rungs[1].multiply_adds < 15e6


def test_candidates_for_photographs_are_the_published_networks() -> None:
    rungs = candidates(NetworkConfig.model_validate({"variant": "auto", "image_size": 224}))
    names = [rung.name for rung in rungs]
    assert names[:2] == ["tiny", "small"]
    assert names[2:] == ["MixNetS", "MixNetM", "MixNetL", "B3", "B4", "B5", "B6", "B7"]
    tuned = NetworkConfig.model_validate({"variant": "auto", "image_size": 224, "weights": "imagenet"})
    assert [rung.name for rung in candidates(tuned)] == ["B0", "B1", "B3", "B4", "B5", "B6", "B7"]


def test_small_images_can_be_fine_tuned_too() -> None:
    tuned = NetworkConfig.model_validate({"variant": "auto", "image_size": 32, "weights": "imagenet"})
    assert [rung.name for rung in candidates(tuned)] == ["B0, stem without stride"]


def test_a_stem_without_stride_keeps_the_size() -> None:
    network = ModelConfig.model_validate({"network": CUSTOM | {"stem_stride": 1}}).network
    assert network.smallest_image_size == 2
    from efficientmixnet.modules.network import EfficientNetBuilder

    model: keras.Model = EfficientNetBuilder((16, 16, 3), classes=2, stem_stride=1).custom_model(
        BLOCKS, stem_filters=8, head_filters=16
    )
    assert model.get_layer("stem_conv").output.shape == (None, 16, 16, 8)
    assert model.get_layer("head_conv").output.shape == (None, 8, 8, 16)


def test_a_fixed_variant_is_the_only_candidate(records: str, tmp_path: Path) -> None:
    job = job_for(records, tmp_path, {"variant": "B1"}, budget="1m")
    assert [(rung.name, rung.network) for rung in candidates(job.config.network)] == [("B1", job.config.network)]


def test_measurements_end_after_a_twentieth_of_the_budget(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        time.sleep(1)
        return Speed(0.0, 0.001)

    monkeypatch.setattr(budget, "measure_network", measure)
    within_budget(job_for(records, tmp_path, {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert capsys.readouterr().out.count("million multiply-adds") == 2


def test_a_network_without_memory_is_printed_and_the_smallest_one_fails(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        if job.config.network.width > least:
            raise OutOfMemory("out of memory")
        return Speed(0.0, 0.001)

    monkeypatch.setattr(budget, "measure_network", measure)
    least = 0.25
    within_budget(job_for(records, tmp_path, {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert "medium: does not fit in memory" in capsys.readouterr().out
    least = 0.1
    with pytest.raises(OutOfMemory):
        within_budget(job_for(records, tmp_path / "other", {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]


def test_a_network_whose_weights_cannot_be_downloaded_is_left_out_unless_it_is_the_smallest(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        if job.config.network.variant not in here:
            raise BadInput("network.weights: URL fetch failure")
        return Speed(0.0, 0.001)

    monkeypatch.setattr(budget, "measure_network", measure)
    network = {"weights": "imagenet", "image_size": 224}
    here = {"B0", "B3"}
    config = within_budget(job_for(records, tmp_path, network, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert config.network.variant == "B3"
    assert "B7 is left out: network.weights: URL fetch failure" in capsys.readouterr().out
    here = {"B3"}
    with pytest.raises(BadInput, match=r"network\.weights: URL fetch failure"):
        within_budget(job_for(records, tmp_path / "other", network, budget="50s"), OneDevice())  # type: ignore[arg-type]


def test_a_batch_that_does_not_fit_in_memory_is_computed_in_parts(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory has room for five images, so 16 are computed as 4 times 4."""

    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        if job.config.training.batch_size > 5:
            raise OutOfMemory("out of memory")
        return Speed(0.0, 1.0)

    monkeypatch.setattr(budget, "measure_network", measure)
    config = within_budget(job_for(records, tmp_path, CUSTOM, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert (config.training.batch_size, config.training.accumulation_steps) == (4, 4)
    assert "with batches in 4 parts to fit in memory" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("epochs", "reason"),
    [(3, "network.variant is given, and there is no time for 12 epochs"), (48, "network.variant is given")],
)
def test_the_reason_for_a_fixed_variant_names_no_other_network(
    records: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    epochs: int,
    reason: str,
) -> None:
    """0.97 of 10,000 s, less 50 s, are 3 epochs of 3,000 s, and 48 of 200 s."""
    monkeypatch.setattr(budget, "measure_network", lambda *_: Speed(50.0, {3: 3000.0, 48: 200.0}[epochs]))
    monkeypatch.setattr(budget, "_ENOUGH", {False: (12, 0)})
    within_budget(job_for(records, tmp_path, CUSTOM, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert f"training.budget: 10000s: custom, {epochs} epochs; {reason}\n" in out
    assert "smallest" not in out
    assert "largest" not in out
    kept = json.loads((tmp_path / "budget.json").read_text())
    assert (kept["why"], kept["considered"][0]["is_given"]) == (reason, True)


def test_crops_are_measured_as_large_as_in_a_short_training(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        areas.append(job.config.training.augmentation.areas)
        return Speed(0.0, 400.0)

    areas: list[Any] = []
    monkeypatch.setattr(budget, "measure_network", measure)
    monkeypatch.setattr(budget, "_ENOUGH", {False: (24, 0)})
    config = within_budget(job_for(records, tmp_path, CUSTOM, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    assert config.training.epochs == 24
    assert areas == [config.training.augmentation.areas] == [(0.675, 1.0)]  # in the middle of 12 and 36 epochs


class Copies:
    """A store of checkpoints in a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def fetch(self, folder: Path) -> None:
        if self.place.exists():
            shutil.copytree(self.place, folder, dirs_exist_ok=True)


def test_a_training_that_lost_its_disk_keeps_its_choice(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_copies, "_store", Copies(tmp_path / "copies"))
    monkeypatch.setattr(budget, "measure_network", lambda *_: Speed(0.0, 0.001))
    job = job_for(records, tmp_path / "checkpoints", CUSTOM, budget="50s")
    chosen = within_budget(job, OneDevice())  # type: ignore[arg-type]
    (tmp_path / "checkpoints").rename(tmp_path / "copies")
    monkeypatch.setattr(budget, "measure_network", lambda *_: pytest.fail("measures again"))
    assert within_budget(job, OneDevice()) == chosen  # type: ignore[arg-type]


def test_several_machines_are_refused(records: str, tmp_path: Path) -> None:
    two = OneDevice()
    two.workers = 2
    with pytest.raises(BadInput, match=r"training\.budget: is for one machine; set training\.epochs"):
        within_budget(job_for(records, tmp_path, CUSTOM, budget="5m"), two)  # type: ignore[arg-type]
