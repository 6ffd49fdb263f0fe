"""Tests of reading a configuration file, and of the messages about its problems."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from efficientmixnet.modules.config.section import kinds
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
        ("data: {splits: {train: 1, eval: 0}}", "data.splits.eval: should be greater than 0, not 0"),
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


def test_an_override_replaces_only_its_key(file: Path) -> None:
    file.write_text("training: {epochs: 3, batch_size: 16, schedule: {name: step}}\nnetwork: {norm: an}\n")
    overrides = ("training.epochs=20", "training.schedule.decay_rate=0.5", "network.norm=iebn")
    config = load_config(str(file), overrides)
    training = config.training
    assert (training.epochs, training.batch_size, config.network.norm.kind) == (20, 16, "iebn")
    assert (training.schedule.name, training.schedule.decay_rate) == ("step", 0.5)


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("network.mixed=true", "network", "mixed", True),
        ("network.activation=null", "network", "activation", None),
        ("data.splits={train: 9, eval: 1}", "data", "splits", {"train": 9, "eval": 1}),
        ("data.manifest=/a=b.csv", "data", "manifest", "/a=b.csv"),
    ],
)
def test_an_override_is_read_as_yaml(override: str, section: str, key: str, value: object) -> None:
    assert getattr(getattr(load_config(None, [override]), section), key) == value


def test_an_overriding_optimizer_takes_no_options_from_the_file(file: Path) -> None:
    file.write_text("training: {optimizer: {name: sgd, momentum: 0.9}}")
    assert load_config(str(file), ["training.optimizer=radam"]).training.optimizer["name"] == "radam"


@pytest.mark.parametrize("override", ["training.epochs", "=3", ""])
def test_an_override_without_a_key_or_value_is_refused_with_an_example(override: str) -> None:
    with pytest.raises(BadInput, match=r"--set .*: give section\.key=value, such as training\.epochs=20"):
        load_config(None, [override])


def test_an_override_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(BadInput, match=r"--set training\.epochs=\[1: is not valid YAML \(while parsing"):
        load_config(None, ["training.epochs=[1"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("output=2020-13-45", None),
        ("training.epochs=!!int foo", "'foo' is not a whole number"),
        ("training={epochs: 1, epochs: 2}", r"epochs is given twice"),
        ("training..epochs=1", "give section.key=value"),
        (f"{'a.' * 3000}b=1", "give section.key=value"),
        (f"a={'[' * 3000}", "has more than 100 levels"),
        ('output="a\\0b"', r"the character '.x00' is not allowed"),
    ],
)
def test_an_override_is_read_as_strictly_as_a_file(override: str, message: str | None) -> None:
    if message is None:
        load_config(None, [override])
        return
    with pytest.raises(BadInput, match=message) as caught:
        load_config(None, [override])
    assert len(str(caught.value)) < 300


def test_keys_that_yaml_takes_for_other_values_are_refused_with_the_cure(file: Path) -> None:
    assert _problems(file, "data: {splits: {no: 1, train: 1, eval: 1}}\n3: {}")[1:] == [
        "data.splits: the key False is not text; put it in quotes",
        "configuration: the key 3 is not text; put it in quotes",
    ]


def test_a_long_value_is_shortened_in_the_message(file: Path) -> None:
    (_, line) = _problems(file, f"data: {{images: [{'x, ' * 5000}]}}")
    assert line == "data.images: should be a valid string, not ['x', 'x', 'x', 'x', 'x', 'x', ...]"


def test_a_misspelled_override_is_refused_with_a_suggestion() -> None:
    with pytest.raises(BadInput, match=r"training\.epoch: no such key; did you mean training\.epochs\?"):
        load_config(None, ["training.epoch=3"])


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


def test_an_output_folder_that_tfx_reads_as_a_pattern_is_refused() -> None:
    with pytest.raises(BadInput, match=r"output: .*TFX reads as a pattern"):
        load_config(None, output="runs[1]")


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


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("training.epochs=1000000000", "training.epochs: should be less than or equal to 1000000"),
        (f"training.epochs={'9' * 4000}", "training.epochs: should be less than or equal to 1000000, not 9"),
        ("training.batch_size=99999999", "training.batch_size: should be less than or equal to 1048576"),
        ("training.learning_rate=1e300", "training.learning_rate: should be less than or equal to 1000"),
        (f"training.learning_rate={'9' * 4000}", "training.learning_rate: should be a valid number, not 9"),
        ("training.learning_rate=.nan", "training.learning_rate: should be a finite number, not nan"),
        ("training.learning_rate=true", "training.learning_rate: should be a number, not True"),
        ("training.epochs=yes", "training.epochs: should be a number, not True"),
        ("training.worker_timeout=1e300", "training.worker_timeout: should be less than"),
        ("training.steps_per_execution=1000000000", "training.steps_per_execution: should be less than"),
        ("training.accumulation_steps=1000000000", "training.accumulation_steps: should be less than"),
        ("training.profile_steps=[5, 2]", "training.profile_steps: [5, 2] is not a range from 1"),
        ("training.profile_steps=[-1, 2]", "training.profile_steps: [-1, 2] is not a range from 1"),
        ("training.schedule.decay_epochs=1e-300", "training.schedule.decay_epochs: should be greater than"),
        ("training.augmentation.mixup_alpha=1e30", "training.augmentation.mixup_alpha: should be less than"),
        ("training.augmentation.crop_scale=[1e-9, 1]", "training.augmentation.crop_scale: [1e-09, 1.0] is not a range"),
        ("training.checkpoint.every_minutes=1e300", "training.checkpoint.every_minutes: should be less than"),
        ("training.fine_tuning.layer_decay=1e-300", "training.fine_tuning.layer_decay: should be greater than"),
        ("training.optimizer={name: adam, epsilon: 1e300}", "training.optimizer.epsilon: expected a number of 0 or"),
        ("network.image_size=1000000", "network.image_size: should be less than or equal to 8192"),
        ("network.crop_fraction=1e-9", "network.crop_fraction: should be greater than or equal to 0.1"),
        ("network={variant: custom, width: 1e300, blocks: [r1_k3_s11_e1_i32_o16]}", "network.width: should be less"),
        ("network={variant: custom, blocks: [r99999999_k3_s11_e1_i32_o16]}", "network.blocks: 99,999,999 blocks are"),
        ("network={variant: custom, blocks: [r1_k3_s11_e1_i32_o99999999]}", "weights are too many; lower the filters"),
        ("network={variant: custom, blocks: [r1_k99999_s11_e1_i32_o16]}", "weights are too many; lower the filters"),
        (
            f"network={{variant: custom, blocks: [r1_k3_s11_e1_i{'9' * 5000}_o16]}}",
            "network.blocks: block string 'r1_k3",
        ),
        ("network.norm={kind: an, n_mixture: 99999}", "network.norm.n_mixture: 99,999 is too many"),
        ("data.splits={train: 1e308, eval: 0.2}", "data.splits.train: should be less than or equal to 1000000"),
        ("data.splits={train: 1, eval: 1e-9}", "data.splits.eval: 1e-09 of 1 is less than a millionth"),
        ("data.splits={train: yes, eval: 1}", "data.splits: should be a number"),
        ("data.max_pixels=999999999999999999999", "data.max_pixels: should be less than or equal to 536870911"),
        ("data.layout.span=99999999999999999999", "data.layout.span: should be less than"),
        ("data.training_spans=1000000000", "data.training_spans: should be less than"),
        ("evaluation.thresholds={loss: 0}", "evaluation.thresholds.loss: should be above 0"),
        ("evaluation.thresholds={accuracy: yes}", "evaluation.thresholds: should be a number"),
        ("evaluation.tolerances={accuracy: 5}", "evaluation.tolerances.accuracy: should be from 0 to 1, such as 0.01"),
        ("evaluation.min_slice_size=99999999999", "evaluation.min_slice_size: should be less than"),
        ("search.trials=99999999999", "search.trials: should be less than"),
        ("search.workers=99999", "search.workers: should be less than"),
        ("search.space={training.learning_rate: {min: 0.1, max: 0.2, step: 5}}", "step: 5 is more than the range"),
        ("beam.timeout=1e300", "beam.timeout: should be less than"),
        ("report.price_per_hour=1e300", "report.price_per_hour: should be less than"),
        ("kubeflow.pod.gpus=99999", "kubeflow.pod.gpus: should be less than"),
        (f"kubeflow.pod.memory={'9' * 30}", "kubeflow.pod.memory: should be a Kubernetes quantity"),
        ("kubeflow.retries.backoff_factor=1e300", "kubeflow.retries.backoff_factor: should be less than"),
        ("kubeflow.retries.within_seconds=99999999999", "kubeflow.retries.within_seconds: should be less than"),
        ("kubeflow.trainer={restarts: 99999999}", "kubeflow.trainer.restarts: should be less than"),
    ],
)
def test_a_number_that_cannot_work_is_refused_in_one_line(override: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [override])
    first, second = str(caught.value).splitlines()
    assert first == "configuration: 1 problem found"
    assert line in second
    assert len(second) < 600


def test_true_is_allowed_where_a_key_takes_it() -> None:
    config = load_config(None, ["training.jit=true", "training.augmentation.flip=no", "training.deterministic=yes"])
    assert (config.training.jit, config.training.augmentation.flip, config.training.deterministic) == (
        True,
        False,
        True,
    )


def test_every_number_has_an_upper_limit() -> None:
    """Finds numbers that a new key forgets to limit."""

    def numbers(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
        for name, field in section.model_fields.items():
            found = kinds(field.annotation)
            for inner in found:
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from numbers(inner, f"{prefix}{name}.")
            if found & {int, float}:
                yield f"{prefix}{name}", f"{field.metadata} {field.annotation}"

    by_hand = {  # checked together with other keys
        *("training.schedule.warmup_epochs", "training.augmentation.crop_scale", "training.profile_steps"),
        *("evaluation.thresholds", "evaluation.tolerances", "evaluation.slice_thresholds"),
        *("evaluation.slice_tolerances", "search.space.min", "search.space.max", "search.space.step"),
    }
    found = dict(numbers(Config, ""))
    assert by_hand < found.keys()
    unlimited = {key for key, about in found.items() if "Le(" not in about and "Lt(" not in about}
    assert unlimited == by_hand
