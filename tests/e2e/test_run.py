"""Tests of a whole run, of the same run with the cache, and of a run with a worse model."""

import csv
import re
import runpy
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.pipeline.config.config import load_config

pytestmark = pytest.mark.e2e

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NOTEBOOK = Path(__file__).parents[2] / "docs" / "evaluation.ipynb"
DATA_COMPONENTS = ["ImageExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform"]
COMPONENTS = [*DATA_COMPONENTS, "Trainer", "Baseline", "Evaluator", "ServingCheck", "Pusher", "Report"]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("output") / "runs"


@pytest.fixture(scope="module")
def first_run(cold_efficientmixnet, small_config, digits, output):
    (digits / "3" / "notes").write_text("This file is not an image.")
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
    assert "no earlier model was blessed" in first_summary["reason"]
    assert Path(first_summary["pushed_model"], "saved_model.pb").is_file()
    assert list(Path(first_summary["tensorboard"]).rglob("events.out.tfevents.*"))


def test_every_image_is_read_or_listed_with_a_reason(first_summary):
    assert first_summary["images"] == {
        "read": 1797,
        "left_out": 1,
        "left_out_by_reason": {"is not an image in a supported format": 1},
    }
    with Path(first_summary["run"], "left_out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["file", "reason"], ["3/notes", "is not an image in a supported format"]]


def test_the_corrected_relabel_list_of_the_run_changes_one_label_and_no_split(first_summary, tmp_path):
    data = load_config(str(Path(first_summary["run"], "config.yaml"))).data
    given = data.images, data.manifest, data.splitting, data.layout, data.max_image_bytes
    before = {entry.name: entry for entry in find_dataset(*given).entries}
    listed = Path(first_summary["run"], "relabel.csv")
    text = listed.read_text(encoding="utf-8")
    name, label, predicted, *_ = next(row for row in csv.reader(text.splitlines()) if row[-1] == "confident mistake")
    assert (before[name].label, before[name].split) == (label, "eval")
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(text.replace(f'"{name}","{label}"', f'"{name}","{predicted}"'), encoding="utf-8")
    after = {entry.name: entry for entry in find_dataset(*given, str(corrected)).entries}
    assert {one: entry.split for one, entry in after.items()} == {one: entry.split for one, entry in before.items()}
    changed = {one: entry.label for one, entry in after.items() if entry.label != before[one].label}
    assert changed == {name: predicted}


def test_every_component_has_a_line_with_its_state_and_time(first_run):
    shown = re.findall(r"^(\w+) +done +\d+\.\d s", first_run.stdout, flags=re.MULTILINE)
    assert [name for name in shown if name != "ServingCheck"] == [name for name in COMPONENTS if name != "ServingCheck"]
    assert shown.index("Trainer") < shown.index("ServingCheck") < shown.index("Pusher")  # It runs beside Evaluator.


def test_the_report_shows_the_run(first_summary):
    page = Path(first_summary["report"]).read_text(encoding="utf-8")
    assert f">{first_summary['accuracy']:.4f}<" in page
    assert first_summary["pushed_model"] in page
    assert re.search(r"<th scope=\"row\">Trainer</th><td[^>]*><i[^>]*></i>\d+\.\d</td>", page)
    assert page.count("regions important for") >= 2


def test_the_result_and_all_paths_are_printed(first_run, first_summary):
    for place in ("pushed_model", "tensorboard", "report", "run"):
        assert first_summary[place] in first_run.stdout
    assert f"{first_summary['accuracy']:.4f} on the evaluation split" in first_run.stdout


def test_log_messages_of_the_libraries_go_only_to_the_log(first_run, first_summary):
    assert "Component Trainer is running." in Path(first_summary["run"], "log.txt").read_text()
    assert "Component Trainer is running." not in first_run.stdout + first_run.stderr


def test_tfma_and_the_report_agree_with_scikit_learn(first_summary, output):
    compared = runpy.run_path(str(BENCHMARKS / "agreement.py"))["compared"](str(output))
    named = {name: (ours, theirs) for name, ours, theirs in compared}
    assert {"TFMA's macro_f1", "TFMA's confusion matrix", "the report's auc", "TFMA's loss"} < set(named)
    for name, (ours, theirs) in named.items():
        assert ours == pytest.approx(theirs, abs=1e-6), name


def test_tfma_agrees_with_the_validation_of_training(first_summary):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(Path(first_summary["tensorboard"], "validation")))
    events.Reload()
    import tensorflow as tf

    last = events.Tensors("epoch_accuracy")[-1]
    assert first_summary["accuracy"] == pytest.approx(float(tf.make_ndarray(last.tensor_proto)), abs=1e-6)


def test_the_pushed_model_predicts_labels(efficientmixnet, first_summary, digits):
    images = [digits / "0" / "0000.png", digits / "1" / "0001.png", digits / "6" / "0006.png"]
    done = efficientmixnet("predict", Path(first_summary["pushed_model"]).parent, *images, digits / "3" / "notes")
    named = re.findall(r"/(\d)/\d+\.png +(\d) (0\.\d+)", done.stdout)
    assert sum(truth == label for truth, label, _ in named) >= 2
    assert all(0.1 < float(probability) <= 1 for _, _, probability in named)
    assert done.returncode == 2
    assert "notes: is not an image in a supported format" in done.stderr


def test_an_unchanged_run_repeats_the_result_without_tfx(cold_efficientmixnet, small_config, first_summary, output):
    done = cold_efficientmixnet("run", small_config, "--output", output)
    assert done.returncode == 0
    assert done.stdout.startswith(f"nothing has changed since the run {Path(first_summary['run']).name};")
    assert first_summary["pushed_model"] in done.stdout
    assert "loading TensorFlow" not in done.stderr
    assert [path.name for path in (output / "runs").iterdir()] == [Path(first_summary["run"]).name]


def test_components_with_the_same_inputs_use_the_cache(efficientmixnet, small_config, first_summary, output, summary):
    done = efficientmixnet("run", small_config, "--output", output, "--set", "report.price_per_hour=2")
    again = summary(output)
    assert done.returncode == 0
    assert set(again["cached"]) == {*COMPONENTS} - {"Baseline"}  # Baseline is never cached.
    assert again["pushed_model"] == first_summary["pushed_model"]
    assert again["metrics"] == first_summary["metrics"]


def test_a_worse_model_is_refused_with_metric_value_and_threshold(
    efficientmixnet, small_config, first_summary, output, summary
):
    worse = ("--set", "training.epochs=1", "--set", "training.learning_rate=1e-6")
    done = efficientmixnet("run", small_config, "--output", output, *worse)
    refused = summary(output)
    assert done.returncode == 3
    assert refused["state"] == "not_blessed"
    assert refused["pushed_model"] is None
    assert refused["cached"] == DATA_COMPONENTS  # Only the section training has changed.
    assert f"accuracy {refused['accuracy']:.4f} does not reach 0.5 (evaluation.thresholds.accuracy)" in done.stdout
    blessed = f"{first_summary['accuracy']:.4f}"
    assert f"accuracy {refused['accuracy']:.4f} is worse than the latest blessed model's {blessed}" in done.stdout
    assert refused["baseline_metrics"]["accuracy"] == first_summary["accuracy"]
    assert [version.name for version in (output / "pushed").iterdir()] == [Path(first_summary["pushed_model"]).name]


def test_a_browser_opens_every_page_without_network_requests(
    efficientmixnet, chromium, first_summary, output, summary, tmp_path
):
    compared, pushed, refused = tmp_path / "compared.html", Path(first_summary["pushed_model"]), summary(output)
    assert efficientmixnet("compare", output, "--page", compared).returncode == 0
    assert efficientmixnet("tfma", output).returncode == 0
    headings = {
        first_summary["report"]: "✓ Blessed",
        refused["report"]: "✗ Not blessed",
        compared: "3 runs compared",
        Path(refused["run"], "tfma.html"): f"TFMA: {Path(refused['run']).name}",
        pushed / "model_card.html": f"efficientmixnet {pushed.name}",
    }
    for file, heading in headings.items():
        for width in (1280, 400):
            page = chromium.open(Path(file), width=width)
            assert page.evaluate("document.querySelector('h1').innerText") == heading
            assert page.evaluate("document.documentElement.scrollWidth") <= width, file
            if file in (first_summary["report"], refused["report"]):
                assert page.evaluate("document.querySelectorAll('#matrix td[data-cell]').length") >= 10
                assert page.evaluate("document.querySelectorAll('#mistakes img').length") >= 2
            assert (page.said, page.requests) == ([], []), file
    text = Path(refused["run"], "tfma.html").read_text(encoding="utf-8").partition('<section id="runs">')[2]
    runs = [Path(one["run"]).name for one in (first_summary, refused)]
    assert re.findall('<th scope="row">(.*?)</th>', text) == runs


@pytest.mark.slow
def test_the_notebook_shows_the_run(first_summary, monkeypatch):
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    monkeypatch.setenv("EFFICIENTMIXNET_RUN", first_summary["run"])
    resources = {"metadata": {"path": NOTEBOOK.parent}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [one.output_type for one in shown if one.output_type == "error"] == []
    text = "".join(str(one.get("text", "")) + str(one.get("data", {}).get("text/plain", "")) for one in shown)
    page = "".join(str(one.get("data", {}).get("text/html", "")) for one in shown)
    assert text.startswith("pushed: accuracy")
    assert f"{first_summary['accuracy']:.4f}" in text
    assert "Metrics by slice" in page
    assert page.count("<figure") == 12
    assert page.count("data:image/") >= 24
