"""A budget chooses the largest network that sees each image often enough, and the epochs that fill the time."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules import features
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.distribution.distribution import Distribution, choose_distribution
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.training import budget, training_job
from efficientmixnet.modules.training.budget import (
    _with_epochs,
    candidates,
    enough_epochs,
    epochs_within,
    within_budget,
)
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.measure_network import Speed, _Enough, _StepClock, measure_network
from efficientmixnet.modules.training.training_job import TrainingJob, train

BLOCKS = ["r1_k3_s11_e1_i8_o8", "r1_k3_s22_e2_i8_o16"]
CUSTOM = {"variant": "custom", "blocks": BLOCKS, "stem_filters": 8, "head_filters": 16, "image_size": 16}


class OneDevice:
    """Stands for the choice of devices, where a test only counts images."""

    workers = 1

    def batch_size(self, training: Any, images: int) -> int:
        return min(training.batch_size, images)

    replicas = 1
    worker = 0


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """160 gray images of 16 x 16 pixels in two classes."""
    folder = tmp_path_factory.mktemp("records")
    with tf.io.TFRecordWriter(f"{folder}/images.gz", "GZIP") as writer:
        for number in range(160):
            pixels = np.full((16, 16, 3), 60 + 100 * (number % 2), "uint8")
            values = {
                features.ENCODED: tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[tf.io.encode_png(pixels).numpy()])
                ),
                features.LABEL_ID: tf.train.Feature(int64_list=tf.train.Int64List(value=[number % 2])),
                features.CHANNEL_MEAN: tf.train.Feature(float_list=tf.train.FloatList(value=[0.4] * 3)),
                features.CHANNEL_DEVIATION: tf.train.Feature(float_list=tf.train.FloatList(value=[0.2] * 3)),
                features.DEPTH: tf.train.Feature(int64_list=tf.train.Int64List(value=[8])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString())
    return f"{folder}/images.gz"


def _job(records: str, checkpoints: Path, network: dict[str, Any], **training: Any) -> TrainingJob:
    config = ModelConfig.model_validate({"network": network, "training": {"batch_size": 16, **training}})
    return TrainingJob(
        config=config, labels=("a", "b"), train_files=(records,), eval_files=(records,), checkpoints=str(checkpoints)
    )


def test_few_images_are_seen_more_often(records: str, tmp_path: Path) -> None:
    job = _job(records, tmp_path, CUSTOM, budget="1m")
    assert enough_epochs(job, OneDevice()) == (2500, 25000)  # 400,000 images of 160  # type: ignore[arg-type]


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


def test_measurements_end_after_a_twentieth_of_the_budget(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        time.sleep(1)
        return Speed(0.0, 0.001)

    monkeypatch.setattr(budget, "measure_network", measure)
    within_budget(_job(records, tmp_path, {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]
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
    within_budget(_job(records, tmp_path, {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert "medium: does not fit in memory" in capsys.readouterr().out
    least = 0.1
    with pytest.raises(OutOfMemory):
        within_budget(_job(records, tmp_path / "other", {"image_size": 32}, budget="50s"), OneDevice())  # type: ignore[arg-type]


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
    config = within_budget(_job(records, tmp_path, network, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert config.network.variant == "B3"
    assert "B7 is left out: network.weights: URL fetch failure" in capsys.readouterr().out
    here = {"B3"}
    with pytest.raises(BadInput, match=r"network\.weights: URL fetch failure"):
        within_budget(_job(records, tmp_path / "other", network, budget="50s"), OneDevice())  # type: ignore[arg-type]


def test_a_batch_that_does_not_fit_in_memory_is_computed_in_parts(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory has room for five images, so 16 are computed as 4 times 4."""

    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        if job.config.training.batch_size > 5:
            raise OutOfMemory("out of memory")
        return Speed(0.0, 1.0)

    monkeypatch.setattr(budget, "measure_network", measure)
    config = within_budget(_job(records, tmp_path, CUSTOM, budget="50s"), OneDevice())  # type: ignore[arg-type]
    assert (config.training.batch_size, config.training.accumulation_steps) == (4, 4)
    assert "with batches in 4 parts to fit in memory" in capsys.readouterr().out


def test_a_fixed_variant_is_the_only_candidate(records: str, tmp_path: Path) -> None:
    job = _job(records, tmp_path, {"variant": "B1"}, budget="1m")
    assert [(rung.name, rung.network) for rung in candidates(job.config.network)] == [("B1", job.config.network)]


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
    within_budget(_job(records, tmp_path, CUSTOM, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert f"training.budget: 10000s: custom, {epochs} epochs; {reason}\n" in out
    assert "smallest" not in out
    assert "largest" not in out
    kept = json.loads((tmp_path / "budget.json").read_text())
    assert (kept["why"], kept["considered"][0]["is_given"]) == (reason, True)


def test_the_start_of_an_evaluation_counts_once(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start takes half a second here. Extrapolated from 4 of the 80 batches, it would count 20 times."""
    begin = keras.callbacks.CallbackList.on_test_begin

    def begin_slowly(callbacks: keras.callbacks.CallbackList, logs: Any = None) -> None:
        begin(callbacks, logs)
        time.sleep(0.5)

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_test_begin", begin_slowly)
    job = _job(records, tmp_path, CUSTOM, batch_size=2)
    speed = measure_network(job, choose_distribution("none"), seconds=1.0)
    assert 0.5 < speed.epoch_seconds < 5


def test_an_evaluation_with_parts_of_a_batch_has_more_batches(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 images in a step are 4 parts of one image, so the evaluation of 160 images has 160 batches of 0.05 s."""
    end = keras.callbacks.CallbackList.on_test_batch_end

    def end_slowly(callbacks: keras.callbacks.CallbackList, batch: int, logs: Any = None) -> None:
        end(callbacks, batch, logs)
        time.sleep(0.05)

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_test_batch_end", end_slowly)
    monkeypatch.setattr(Distribution, "accumulated_batches", lambda self, training: 4)
    job = _job(records, tmp_path, CUSTOM, batch_size=1)
    assert measure_network(job, choose_distribution("none"), seconds=0.01).epoch_seconds > 160 * 0.05


def test_the_measured_network_has_synchronized_norms_if_the_training_has(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*arguments: Any, **options: Any) -> keras.Model:
        synchronized.append(options["synchronized"])
        return build_model(*arguments, **options)

    synchronized: list[bool] = []
    monkeypatch.setattr(training_job, "build_model", build)
    for devices in (False, True):
        monkeypatch.setattr(Distribution, "is_mirrored", devices)
        measure_network(_job(records, tmp_path, CUSTOM), choose_distribution("none"), seconds=0.01)
    assert synchronized == [False, True]


def test_crops_are_measured_as_large_as_in_a_short_training(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        areas.append(job.config.training.augmentation.areas)
        return Speed(0.0, 400.0)

    areas: list[Any] = []
    monkeypatch.setattr(budget, "measure_network", measure)
    monkeypatch.setattr(budget, "_ENOUGH", {False: (24, 0)})
    config = within_budget(_job(records, tmp_path, CUSTOM, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    assert config.training.epochs == 24
    assert areas == [config.training.augmentation.areas] == [(0.675, 1.0)]  # in the middle of 12 and 36 epochs


def test_networks_are_measured_before_the_epochs_are_known(records: str, tmp_path: Path) -> None:
    """The classifier trains in as many epochs as the default of training.epochs has."""
    tuning = {"head_epochs": 10}
    job = _job(records, tmp_path, CUSTOM | {"weights": "a.keras"}, budget="1m", ema=0.9, fine_tuning=tuning)
    speed = measure_network(job, choose_distribution("none"), seconds=0.1)
    assert speed.epoch_seconds > 0
    assert speed.head_epoch_seconds != speed.epoch_seconds
    assert speed.head_epoch_seconds is not None


@pytest.mark.parametrize(
    ("head_epoch", "head_epochs", "epochs"),
    [
        (None, None, 9),  # 10 + 9 x 10 = 100
        (2.0, 0, 9),
        (2.0, 1, 9),  # a tenth epoch: 10 + 9 x 10 + 2 = 102
        (2.0, None, 10),  # two of ten train only the classifier: 10 + 8 x 10 + 2 x 2 = 94
        (12.0, None, 9),  # measured too slow
    ],
)
def test_epochs_that_train_only_the_classifier_leave_time_for_more(
    head_epoch: float | None, head_epochs: int | None, epochs: int
) -> None:
    assert epochs_within(100.0, Speed(10.0, 10.0, head_epoch), head_epochs) == epochs


def test_there_is_no_epoch_within_the_time_of_the_start() -> None:
    assert epochs_within(5.0, Speed(10.0, 1.0, 0.5)) == 0


def test_slow_first_steps_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches and pipelines fill in the first steps, which take two seconds each here. Later ones take half a second."""
    times = iter([0.0, 2.0, 4.0, *np.arange(4.5, 20.0, 0.5)])
    monkeypatch.setattr("efficientmixnet.modules.training.measure_network.time.monotonic", lambda: next(times))
    clock = _StepClock(seconds=9.0)
    with pytest.raises(_Enough):
        for batch in range(100):
            clock.on_train_batch_end(batch)
    assert clock.step_seconds == pytest.approx(0.5)


@pytest.mark.slow
def test_a_training_ends_within_its_budget_and_keeps_the_choice(records: str, tmp_path: Path) -> None:
    job = _job(records, tmp_path, CUSTOM, budget="2m")
    start = time.monotonic()
    trained = train(job)
    assert 60 < time.monotonic() - start < 150  # other programs may slow the machine down
    epochs = trained.job.config.training.epochs
    assert 1 <= epochs == len(trained.checkpoint.history)
    content = json.loads((tmp_path / "budget.json").read_text())
    assert content["considered"][0]["name"] == "custom"
    assert content["config"]["training"]["epochs"] == epochs
    assert content["config"]["training"]["schedule"]["warmup_epochs"] <= epochs / 10
    again = within_budget(job, OneDevice())  # type: ignore[arg-type]
    assert again.training.epochs == epochs


def test_the_epochs_fill_the_time_that_is_left(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All other networks have time for too few epochs. 0.97 of 10,000 s, less 50 s, are 48 epochs of 200 s."""

    def measure(job: TrainingJob, distribution: object, seconds: float) -> Speed:
        return Speed(50.0, 200.0 if job.config.network.width == 0.25 else 20_000.0)

    monkeypatch.setattr(budget, "measure_network", measure)
    monkeypatch.setattr(budget, "_ENOUGH", {False: (20, 0)})
    config = within_budget(_job(records, tmp_path, {"image_size": 32}, budget="10000s"), OneDevice())  # type: ignore[arg-type]
    assert (config.network.width, config.network.depth, config.training.epochs) == (0.25, 1.0, 48)
    out = capsys.readouterr().out
    assert "training.budget: 10000s: tiny, 48 epochs; the largest measured network with time for 20 epochs" in out
    assert "small: " in out


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
    job = _job(records, tmp_path / "checkpoints", CUSTOM, budget="50s")
    chosen = within_budget(job, OneDevice())  # type: ignore[arg-type]
    (tmp_path / "checkpoints").rename(tmp_path / "copies")
    monkeypatch.setattr(budget, "measure_network", lambda *_: pytest.fail("measures again"))
    assert within_budget(job, OneDevice()) == chosen  # type: ignore[arg-type]


def test_a_budget_that_is_too_short_is_refused(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "measure_network", lambda *_: Speed(1.0, 500.0))
    why = r"5m is not enough for one epoch of tiny: the measurements took \d+ s, the start takes 1 s and an epoch 500 s"
    with pytest.raises(BadInput, match=f"{why}; give more time"):
        within_budget(_job(records, tmp_path, {"image_size": 32}, budget="5m"), OneDevice())  # type: ignore[arg-type]


def test_several_machines_are_refused(records: str, tmp_path: Path) -> None:
    two = OneDevice()
    two.workers = 2
    with pytest.raises(BadInput, match=r"training\.budget: is for one machine; set training\.epochs"):
        within_budget(_job(records, tmp_path, CUSTOM, budget="5m"), two)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tuning",
    [
        {"fine_tuning": {"freeze_until": "stage5"}},  # of seven in B0 to B7; the small networks have four
        {"fine_tuning": {"head_epochs": 10}},  # the default of training.epochs, which a budget does not use
        {"schedule": {"warmup_epochs": 8}},
    ],
    ids=str,
)
def test_fine_tuning_within_a_budget_is_checked_against_its_networks_and_epochs(tuning: dict[str, Any]) -> None:
    given = {"network": {"weights": "imagenet"}, "training": {"budget": "10m", **tuning}}
    config = ModelConfig.model_validate(given)
    assert config.network.variant == "auto"
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config
    for epochs in (1, 2, 30):
        left = _with_epochs(config, epochs)
        assert left.training.schedule.warmup_epochs < epochs - left.head_epochs


def test_a_stem_without_stride_keeps_the_size() -> None:
    network = ModelConfig.model_validate({"network": CUSTOM | {"stem_stride": 1}}).network
    assert network.smallest_image_size == 2
    from efficientmixnet.modules.network import EfficientNetBuilder

    model: keras.Model = EfficientNetBuilder((16, 16, 3), classes=2, stem_stride=1).custom_model(
        BLOCKS, stem_filters=8, head_filters=16
    )
    assert model.get_layer("stem_conv").output.shape == (None, 16, 16, 8)
    assert model.get_layer("head_conv").output.shape == (None, 8, 8, 16)
