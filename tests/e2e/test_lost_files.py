"""Tests of runs in an output folder that has lost files since the last run."""

import re
import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def output(tmp_path_factory, efficientmixnet, small_config):
    """The output folder of a run that pushed a model."""
    folder = tmp_path_factory.mktemp("lost") / "runs"
    done = efficientmixnet("run", small_config, "--output", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _states(done) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +(done|from cache) +\d", done.stdout, flags=re.MULTILINE))


def test_a_deleted_model_is_pushed_again_and_a_cut_report_is_made_again(output, efficientmixnet, small_config, summary):
    before = summary(output)
    shutil.rmtree(output / "pushed")
    Path(before["evaluated"], "content.json").write_bytes(b"{")
    done = efficientmixnet("run", small_config, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    states = _states(done)
    assert {name for name, state in states.items() if state == "done"} == {"Baseline", "Pusher", "Report"}
    after = summary(output)
    assert after["state"] == "pushed"
    assert f"{before['pushed_model']} is missing or incomplete" in done.stdout
    for name in ("saved_model.pb", "MODEL_CARD.md", "assets.extra/network.keras"):
        assert Path(after["pushed_model"], name).is_file()
    assert "Blessed" in Path(after["report"]).read_text(encoding="utf-8")


def test_a_flipped_byte_in_a_shard_is_named_and_the_cure_works(output, efficientmixnet, small_config):
    (examples,) = (output / "artifacts" / "ImageExampleGen" / "examples").glob("[0-9]*")
    (transformed,) = (output / "artifacts" / "Transform" / "transformed_examples").glob("[0-9]*")
    shard = sorted((examples / "Split-train").glob("*.gz"))[1]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    shutil.rmtree(transformed)
    failed = efficientmixnet("run", small_config, "--output", output)
    assert failed.returncode == 2, failed.stdout + failed.stderr
    line = failed.stderr.splitlines()[-1]
    assert line.startswith(f"error: {shard}: is damaged (")
    assert line.endswith(f"delete {examples} and run the pipeline again")
    shutil.rmtree(examples)
    done = efficientmixnet("run", small_config, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _states(done)["ImageExampleGen"] == "done"
