"""The examples in docs/optimizers.md run, and its table equals the recipes."""

import re
from pathlib import Path

import pytest
import yaml

from efficientmixnet.modules.config.recipes import RECIPES
from efficientmixnet.modules.optimizers import parse_optimizer
from efficientmixnet.modules.optimizers.specification import OPTIMIZERS

PAGE = (Path(__file__).parents[3] / "docs" / "optimizers.md").read_text()


def test_the_examples_run_in_order(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for example in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(example, "docs/optimizers.md", "exec"), names)  # noqa: S102
    assert "did you mean 'beta_2'?" in capsys.readouterr().out
    assert names["history"].history["loss"][-1] < names["history"].history["loss"][0]
    assert (names["images"].shape, names["labels"].shape) == ((4, 224, 224, 3), (4, 4))


def test_the_example_configuration_is_valid() -> None:
    training = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1])["training"]  # type: ignore[index]
    assert training["recipe"] in RECIPES
    assert parse_optimizer(training["optimizer"])["inner"]["beta_2"] == 0.99


def test_every_optimizer_is_named() -> None:
    assert all(re.search(rf"\b{name}\b", PAGE) for name in OPTIMIZERS)


def test_the_table_of_recipes_equals_the_recipes() -> None:
    rows = {
        cells[0]: cells[1:] for cells in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    }
    for column, recipe in enumerate(RECIPES.values()):
        training = recipe["training"]
        optimizer = training["optimizer"].get("inner", training["optimizer"])
        rate, batch = rows["learning rate, batch"][column].split(", ")
        assert (float(rate), int(batch)) == (training["learning_rate"], training["batch_size"])
        assert float(rows["weight decay"][column]) == optimizer["weight_decay"]
        assert int(rows["epochs"][column]) == training["epochs"]
        average = rows["moving average of the weights"][column]
        assert (None if average == "none" else float(average)) == training["ema"]
        smoothing, drop_connect = map(float, rows["label smoothing, drop-connect"][column].split(", "))
        assert (smoothing, drop_connect) == (training["label_smoothing"], recipe["network"]["drop_connect"])
