"""A whole run, the same run again, and then a worse model: what is pushed, what is cached, what is said."""

import csv
import re
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
DATA_COMPONENTS = ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]
COMPONENTS = [*DATA_COMPONENTS, "Trainer", "Baseline", "Evaluator", "ServingCheck", "Pusher", "Report"]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("output") / "runs"


@pytest.fixture(scope="module")
def first_run(cold_efficientmixnet, small_config, digits, output):
    (digits / "3" / "notes.txt").write_text("no picture, and no reason to stop")
    done = cold_efficientmixnet("run", small_config, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def first_summary(first_run, summary, output):
    return summary(output)


def test_a_good_model_is_blessed_and_pushed(first_summary):
    assert first_summary["state"] == "pushed"
    assert first_summary["blessed"] is True
    assert first_summary["accuracy"] > 0.5
    assert first_summary["accuracy"] == first_summary["metrics"]["accuracy"]
    assert "no blessed model yet" in first_summary["reason"]
    assert Path(first_summary["pushed_model"], "saved_model.pb").is_file()
    assert list(Path(first_summary["tensorboard"]).rglob("events.out.tfevents.*"))


def test_every_picture_is_read_or_listed_with_a_reason(first_summary):
    assert first_summary["pictures"] == {
        "read": 1797,
        "left_out": 1,
        "left_out_by_reason": {"is no picture of a known format": 1},
    }
    with Path(first_summary["run"], "left_out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["file", "reason"], ["3/notes.txt", "is no picture of a known format"]]


def test_a_line_is_shown_for_every_component_with_its_state_and_time(first_run):
    shown = re.findall(r"^(\w+) +done +\d+\.\d s", first_run.stdout, flags=re.MULTILINE)
    assert shown == COMPONENTS


def test_the_report_shows_the_run(first_summary):
    page = Path(first_summary["report"]).read_text(encoding="utf-8")
    assert f">{first_summary['accuracy']:.4f}<" in page
    assert first_summary["pushed_model"] in page
    assert re.search(r"<th scope=\"row\">Trainer</th><td[^>]*><i[^>]*></i>\d+\.\d</td>", page)
    assert page.count("where the network saw") >= 2


def test_the_verdict_and_all_places_are_shown(first_run, first_summary):
    for place in ("pushed_model", "tensorboard", "report", "run"):
        assert first_summary[place] in first_run.stdout
    assert f"{first_summary['accuracy']:.4f} on the evaluation split" in first_run.stdout


def test_the_libraries_noise_is_in_the_log_alone(first_run, first_summary):
    assert "Component Trainer is running." in Path(first_summary["run"], "log.txt").read_text()
    assert "Component Trainer is running." not in first_run.stdout + first_run.stderr


def test_tfma_and_the_report_measure_what_scikit_learn_measures(first_summary, output):
    compared = runpy.run_path(str(BENCHMARKS / "agreement.py"))["compared"](str(output))
    named = {name: (ours, theirs) for name, ours, theirs in compared}
    assert {"TFMA's macro_f1", "TFMA's confusion matrix", "the report's auc", "TFMA's loss"} < set(named)
    for name, (ours, theirs) in named.items():
        assert ours == pytest.approx(theirs, abs=1e-6), name


def test_tfma_measures_what_training_measured(first_summary):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(Path(first_summary["tensorboard"], "validation")))
    events.Reload()
    import tensorflow as tf

    last = events.Tensors("epoch_accuracy")[-1]
    assert first_summary["accuracy"] == pytest.approx(float(tf.make_ndarray(last.tensor_proto)), abs=1e-6)


def test_the_pushed_model_names_pictures(efficientmixnet, first_summary, digits):
    pictures = [digits / "0" / "0000.png", digits / "1" / "0001.png", digits / "6" / "0006.png"]
    done = efficientmixnet("predict", Path(first_summary["pushed_model"]).parent, *pictures, digits / "3" / "notes.txt")
    named = re.findall(r"/(\d)/\d+\.png: (\d) (0\.\d+)", done.stdout)
    assert sum(truth == label for truth, label, _ in named) >= 2
    assert all(0.1 < float(probability) <= 1 for _, _, probability in named)
    assert done.returncode == 2
    assert "notes.txt: is no picture of a known format" in done.stderr


def test_run_again_unchanged_everything_comes_from_the_cache(
    efficientmixnet, small_config, first_summary, output, summary
):
    done = efficientmixnet("run", small_config, "--output", output)
    again = summary(output)
    assert done.returncode == 0
    assert again["cached"] == [name for name in COMPONENTS if name != "Baseline"]  # a look-up, which nothing caches
    assert again["pushed_model"] == first_summary["pushed_model"]
    assert again["metrics"] == first_summary["metrics"]


def test_a_worse_model_is_refused_with_metric_value_and_bound(
    efficientmixnet, small_config, first_summary, output, summary
):
    worse = ("--set", "training.epochs=1", "--set", "training.learning_rate=1e-6")
    done = efficientmixnet("run", small_config, "--output", output, *worse)
    refused = summary(output)
    assert done.returncode == 3
    assert refused["state"] == "not_blessed"
    assert refused["pushed_model"] is None
    assert refused["cached"] == DATA_COMPONENTS  # only the training section changed
    assert f"accuracy {refused['accuracy']:.4f} does not reach 0.5 (evaluation.thresholds.accuracy)" in done.stdout
    blessed = f"{first_summary['accuracy']:.4f}"
    assert f"accuracy {refused['accuracy']:.4f} is worse than the latest blessed model's {blessed}" in done.stdout
    assert refused["baseline_metrics"]["accuracy"] == first_summary["accuracy"]
    assert [version.name for version in (output / "pushed").iterdir()] == [Path(first_summary["pushed_model"]).name]
