"""Tests of reading a configuration file, and of the messages about its problems."""

import os
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config, load_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my.yaml"


def _problems(file: Path, text: str, *overrides: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_config(str(file), overrides)
    return [line.strip() for line in str(caught.value).splitlines()]


def test_misspelled_keys_are_reported_together_with_suggestions(file: Path) -> None:
    text = """
outptu: runs
netwrk: {}
network: {nrom: bn, imagesize: 32}
training:
  optimzer: adam
  schedule: {warmup: 1}
evaluation: {threshold: {accuracy: 1}}
"""
    first, *lines = _problems(file, text)
    assert first == f"{file}: 7 problems found"
    assert sorted(lines) == [
        "evaluation.threshold: no such key; did you mean evaluation.thresholds?",
        "network.imagesize: no such key; did you mean network.image_size?",
        "network.nrom: no such key; did you mean network.norm?",
        "netwrk: no such key; did you mean network?",
        "outptu: no such key; did you mean output?",
        "training.optimzer: no such key; did you mean training.optimizer?",
        "training.schedule.warmup: no such key; did you mean training.schedule.warmup_epochs?",
    ]


def test_bad_values_and_misspelled_keys_are_reported_together(file: Path) -> None:
    first, *lines = _problems(file, "{name: My Run, data: {max_left_out: 2, max_pixel: 5}, training: {epochs: 0}}")
    assert first == f"{file}: 4 problems found"
    assert sorted(lines) == [
        "data.max_left_out: should be less than or equal to 1, not 2",
        "data.max_pixel: no such key; did you mean data.max_pixels?",
        "name: should have at most 63 lower-case letters, digits and hyphens, start with a letter, and not end with a "
        "hyphen, not 'My Run'",
        "training.epochs: should be greater than or equal to 1, not 0",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("network: {norm: gn}", "network.norm: 'gn' is unknown; give one of bn, an, iebn"),
        (
            "network: {image_size: 8}",
            "network.image_size: 8 pixels are too few for the network's strides; give 32 or more",
        ),
        (
            "training: {epochs: 2, schedule: {warmup_epochs: 2}}",
            "training.schedule.warmup_epochs: 2 must be less than the 2 epochs of the training",
        ),
        ("data: {splits: {train: 1}}", "data.splits: needs eval, such as {train: 0.8, eval: 0.2}"),
        ("data: {splits: {a: 1}}", "data.splits: needs eval and train, such as {train: 0.8, eval: 0.2}"),
        (
            "data: {splits: {train: 1, eval: 0}}",
            "data.splits.eval: 0 of 1 is less than a millionth of the images; raise it",
        ),
        (
            "evaluation: {tolerances: {accuracy: -0.1}}",
            "evaluation.tolerances.accuracy: should be greater than or equal to 0, not -0.1",
        ),
    ],
)
def test_a_problem_is_one_line_that_starts_with_its_key(file: Path, text: str, line: str) -> None:
    assert _problems(file, text) == [f"{file}: 1 problem found", line]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: [", ", line 1: is not valid YAML ("),
        ("a: b: c", ", line 1: is not valid YAML ("),
        ("- training", ": has no sections; `efficientmixnet init example.yaml` writes an example"),
        ("training", ": has no sections; `efficientmixnet init example.yaml` writes an example"),
    ],
)
def test_a_file_without_a_mapping_is_refused_in_one_line(file: Path, text: str, message: str) -> None:
    (line,) = _problems(file, text)
    assert line.startswith(f"{file}{message}")


def test_a_binary_file_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00images")
    with pytest.raises(BadInput, match=r"my\.yaml: is not UTF-8 text; save it as UTF-8"):
        load_config(str(file))


def test_a_missing_file_is_refused_with_the_command_that_creates_it(file: Path) -> None:
    with pytest.raises(BadInput, match=r"my\.yaml: does not exist; run `efficientmixnet init .*my\.yaml` to create it"):
        load_config(str(file))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        load_config(str(tmp_path))


def test_an_empty_file_gives_the_defaults(file: Path) -> None:
    file.write_text("# nothing yet\n")
    config = load_config(str(file))
    assert config.model_dump(exclude={"data": {"images"}, "output": True}) == Config().model_dump(
        exclude={"data": {"images"}, "output": True}
    )


def test_keys_that_yaml_takes_for_other_values_are_refused_with_the_cure(file: Path) -> None:
    assert _problems(file, "data: {splits: {no: 1, train: 1, eval: 1}}\n3: {}")[1:] == [
        "data.splits: the key False is not text; put it in quotes",
        "configuration: the key 3 is not text; put it in quotes",
    ]


def test_a_long_value_is_shortened_in_the_message(file: Path) -> None:
    (_, line) = _problems(file, f"data: {{images: [{'x, ' * 5000}]}}")
    assert line == "data.images: should be a valid string, not ['x', 'x', 'x', 'x', 'x', 'x', ...]"


def test_relative_paths_start_at_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, elsewhere = tmp_path / "project" / "configs", tmp_path / "elsewhere"
    folder.mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "my.yaml").write_text(
        "output: ../runs\ndata: {images: ../my images, manifest: list.csv, schema_file: /abs/schema.pbtxt}\n"
    )
    monkeypatch.chdir(elsewhere)
    config = load_config("../project/configs/my.yaml")
    assert config.output == str(tmp_path / "project/runs")
    assert config.data.images == str(tmp_path / "project/my images")
    assert config.data.manifest == str(folder / "list.csv")
    assert config.data.schema_file == "/abs/schema.pbtxt"


def test_relative_paths_of_the_command_line_start_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "my.yaml").write_text("output: ../runs\ndata: {images: ../images}\n")
    monkeypatch.chdir(tmp_path)
    config = load_config("configs/my.yaml", data="mine", output="there")
    assert (config.data.images, config.output) == (str(tmp_path / "mine"), str(tmp_path / "there"))


def test_without_a_file_paths_start_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config(None, data="mine")
    assert (config.data.images, config.output) == (str(tmp_path / "mine"), str(tmp_path / "runs"))


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(None, ["data.images=~/mine"]).data.images == os.path.join(tmp_path, "mine")


def test_a_recipe_fills_in_what_the_file_leaves_out(file: Path) -> None:
    file.write_text("training: {recipe: ranger-flat-cosine, epochs: 5}\n")
    config = load_config(str(file), ["training.learning_rate=0.01"])
    assert config.training.optimizer["name"] == "lookahead"
    assert (config.training.epochs, config.training.learning_rate) == (5, 0.01)


def test_trainer_gets_only_the_sections_network_and_training() -> None:
    assert set(Config().model) == {"network", "training"}


def test_an_empty_section_gives_its_defaults(file: Path) -> None:
    file.write_text("network:\ntraining: {epochs: 3}\n")
    assert load_config(str(file)).network == Config().network


def test_an_empty_subsection_gives_its_defaults_or_those_of_the_recipe(file: Path) -> None:
    file.write_text("data:\n  layout:\ntraining:\n  schedule:\n  augmentation:\nkubeflow:\n  pod:\n  trainer:\n")
    config = load_config(str(file))
    assert (config.data.layout, config.training) == (Config().data.layout, Config().training)
    assert config.kubeflow == Config().kubeflow
    augmentation = load_config(str(file), ["training.recipe=adamw-cosine"]).training.augmentation
    assert augmentation.cutmix_alpha == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("training: 5", "training: should be a section with keys, not 5"),
        ("network: {zzz: 1}", "network.zzz: no such key"),
        ("network: {epochs: 1}", "network.epochs: no such key; did you mean training.epochs?"),
        (
            "evaluation: {thresholds: {acuracy: 1}}",
            "evaluation.thresholds: 'acuracy' is not one of 'accuracy', 'top_3', 'balanced_accuracy', 'macro_f1', "
            "'loss' or 'calibration_error'",
        ),
        (
            "evaluation: {thresholds: {accuracy: 97}}",
            "evaluation.thresholds.accuracy: should be from 0 to 1, such as 0.97, not 97",
        ),
        ("training: {learning_rate: .inf}", "training.learning_rate: should be a finite number, not inf"),
        ("training: {seed: -1}", "training.seed: should be greater than or equal to 0, not -1"),
        ("training: {epochs: two}", "training.epochs: should be a valid integer, not 'two'"),
        ("network: {variant: custom, blocks: 3}", "network.blocks: should be a list, not 3"),
        ("training: {jit: 3}", "training.jit: should be a valid boolean or 'auto', not 3"),
        ("beam: {workers: many}", "beam.workers: should be 'auto' or a valid integer, not 'many'"),
        (
            "training: {augmentation: {crop_scale: some}}",
            "training.augmentation.crop_scale: should be a list or 'auto', not 'some'",
        ),
        (
            "training: {augmentation: {crop_scale: [a, 1]}}",
            "training.augmentation.crop_scale.0: should be a valid number, not 'a'",
        ),
        (
            "training: {recipe: [a]}",
            "training.recipe: should be 'efficientnet', 'adamw-cosine' or 'ranger-flat-cosine', not ['a']",
        ),
    ],
)
def test_values_of_the_wrong_type_are_refused_in_one_line(file: Path, text: str, line: str) -> None:
    assert _problems(file, text) == [f"{file}: 1 problem found", line]


def test_an_unknown_recipe_hides_no_other_problem(file: Path) -> None:
    lines = _problems(file, "{training: {recipe: foo}, network: {norm: gn}, netwrk: {}}")
    assert lines[0] == f"{file}: 3 problems found"


@pytest.mark.parametrize(("option", "key"), [("data", r"data\.images"), ("output", "output")])
def test_an_empty_folder_name_is_refused(option: str, key: str) -> None:
    """It is what a shell makes of a variable that is not set. The default would be another folder."""
    with pytest.raises(BadInput, match=rf"^{key}: is empty; give a folder$"):
        load_config(None, **{option: ""})


def test_an_output_folder_that_tfx_reads_as_a_pattern_is_refused() -> None:
    with pytest.raises(BadInput, match=r"output: .*TFX reads as a pattern"):
        load_config(None, output="runs[1]")


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"data": "a\x00"}, "data.images"),
        ({"output": "a\x00"}, "output"),
        ({"sections": {"data": {"manifest": Path("a\x00")}}}, "data.manifest"),
        ({"sections": {"data": {"layout": {"label_names": "a\x00"}}}}, "data.layout.label_names"),
        ({"sections": {"network": {"weights": "a\x00"}}}, "network.weights"),
    ],
)
def test_a_path_that_is_not_text_is_refused(arguments: dict[str, Any], key: str) -> None:
    with pytest.raises(BadInput, match=rf"^{key}: '.*a\\x00' has a character that is not text \(\\x00\); rename it$"):
        load_config(None, **arguments)


def test_problems_of_a_search_are_reported_together(file: Path) -> None:
    text = """
search:
  trials: 0
  space:
    training.lerning_rate: {min: 0.1, max: 1}
    training.dropuot: [0.1]
    training.recipe: [efficientnet]
    training.batch_size: {min: 64}
    training.label_smoothing: {min: 1, max: 0}
    training.learning_rate: {min: 0, max: 1, sampling: log}
    network.norm: bn
"""
    assert _problems(file, text) == [
        f"{file}: 8 problems found",
        "search.trials: should be greater than or equal to 1, not 0",
        "search.space.training.lerning_rate: no such key of network or training; did you mean training.learning_rate?",
        "search.space.training.dropuot: no such key of network or training; did you mean network.dropout?",
        "search.space.training.recipe: cannot be searched: search the keys in which the recipes differ",
        "search.space.training.batch_size.values: give a list, or both min and max",
        "search.space.training.label_smoothing.min: 1 is not less than max 0",
        "search.space.training.learning_rate.sampling: log needs a min above 0, and no step",
        "search.space.network.norm.values: give a list, or {min: ..., max: ...}, not 'bn'",
    ]


def test_searched_values_that_a_key_does_not_allow_are_reported(file: Path) -> None:
    text = """
search:
  space:
    training.learning_rate: {min: -1, max: 0.1}
    network.norm: [bn, gn]
    training.optimizer: [{name: sgd, momentum: 0.9}, foo]
    training.schedule.warmup_epochs: [0, 10]
    training.jit: {min: 0, max: 1}
"""
    first, *lines = _problems(file, text)
    assert first == f"{file}: 5 problems found"
    assert [line.partition(". Allowed")[0] for line in lines] == [
        "search.space.training.learning_rate: -1: should be greater than 0, not -1",
        "search.space.network.norm: \"gn\": 'gn' is unknown; give one of bn, an, iebn",
        "search.space.training.optimizer: \"foo\": there is no optimizer 'foo'",
        "search.space.training.schedule.warmup_epochs: 10: 10 must be less than the 10 epochs of the training",
        "search.space.training.jit: [0, 1]: it is not a number; give a list of values",
    ]


def test_a_problem_of_several_sections_is_one_line(file: Path) -> None:
    text = "{network: {weights: imagenet}, training: {epochs: 5, fine_tuning: {head_epochs: 5}}}"
    assert _problems(file, text) == [
        f"{file}: 1 problem found",
        "training.fine_tuning.head_epochs: 5 must be less than the 5 epochs of training.epochs",
    ]


def test_a_name_has_at_most_63_characters() -> None:
    assert load_config(None, [f"name={'a' * 63}"]).name == "a" * 63
    with pytest.raises(BadInput, match="name: should have at most 63 lower-case letters"):
        load_config(None, [f"name={'a' * 64}"])
