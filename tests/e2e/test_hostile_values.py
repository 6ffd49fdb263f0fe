"""A run whose names, labels and columns are markup, formulas, HTML and secrets ends as any other."""

import csv
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

LABELS = {"0": "=cmd()", "1": "[/red]<script>pwned=1</script>", "2": "`x`|*b*[bold]:dog:"}
URL = "memory://me:HUSH99@bucket/x.png?X-Amz-Signature=HUSH99"


@pytest.fixture(scope="module")
def ended(efficientmixnet, small_config, digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    rows = [("path", "label", "=column[/x]"), (URL, "=cmd()", URL), ("=gone.png", "=cmd()", "")]
    for digit, label in LABELS.items():
        for number, image in enumerate(sorted((digits / digit).glob("*.png"))[:60]):
            name = f"=[red]{digit}/{number}`.png"
            (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder / "images" / name)
            rows.append((name, label, "@left" if number % 2 else "+right"))
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    changed = [f"data.manifest={folder}/rows.csv", "data.max_left_out=0.1", "evaluation.thresholds.accuracy=0.1"]
    options = [word for one in changed for word in ("--set", one)]
    done = efficientmixnet("run", small_config, "--data", folder / "images", "--output", folder / "runs", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done, folder / "runs"


def test_the_run_prints_labels_as_text_and_writes_formulas_as_text(ended, summary):
    done, output = ended
    assert "\x1b" not in done.stdout
    run = Path(summary(output)["run"])
    with (run / "left_out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["file", "'=gone.png", "memory://***@bucket/x.png?X-Amz-Signature=***"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;pwned=1" in page
    assert page.count("<script") == 2


def test_no_file_of_the_run_holds_the_secret(ended):
    _, output = ended
    files = [file for file in output.rglob("*") if file.is_file()]
    assert len(files) > 50
    assert [file for file in files if b"HUSH99" in file.read_bytes()] == []


def test_only_the_owner_can_read_what_may_hold_secrets(ended, summary):
    _, output = ended
    run = Path(summary(output)["run"])
    files = (output / "metadata.sqlite", run / "config.yaml", run / "log.txt")
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3


def test_runs_and_lineage_print_labels_as_text(ended, efficientmixnet):
    _, output = ended
    for command in (("runs", output), ("lineage", output / "pushed"), ("report", output)):
        done = efficientmixnet(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "\x1b" not in done.stdout
