"""The relabel list: which images it names, and that it is a manifest."""

import numpy as np

from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.components.report.relabel import as_csv


def test_the_list_has_the_most_confident_mistakes_and_then_the_least_confident_images(evaluate):
    evaluated = evaluate(10, 30)
    rows = evaluated.content["relabel"]
    confidence, predicted = evaluated.probabilities.max(axis=1), evaluated.probabilities.argmax(axis=1)
    wrong = predicted != evaluated.labels
    mistakes = [row for row in rows if row[-1] == "confident mistake"]
    unsure = [row for row in rows if row[-1] == "low confidence"]
    assert rows == [*mistakes, *unsure]
    assert len(mistakes) == min(100, wrong.sum())
    assert len(unsure) == 100
    expected = np.sort(confidence[wrong])[::-1][:100]
    np.testing.assert_allclose([row[3] for row in mistakes], expected, atol=1e-4)
    assert all(row[1] != row[2] for row in mistakes)
    names = evaluated.predictions.names
    others = np.sort(
        [one for name, one in zip(names, confidence, strict=True) if name not in {row[0] for row in mistakes}]
    )
    np.testing.assert_allclose([row[3] for row in unsure], others[:100], atol=1e-4)
    assert len({row[0] for row in rows}) == len(rows)


def test_the_list_is_a_manifest_whatever_the_names_are(tmp_path):
    names = ["a/=1+1.png", "-x.png", '"quoted", a.png', "@b\u202e.png"]
    labels = ["=cmd|' /C calc'!A0", "3", "قطة", "dog, mâtiné"]
    data = tmp_path / "data"
    (data / "a").mkdir(parents=True)
    for name in names:
        (data / name).write_bytes(b"any")
    rows = [(name, label, "+other", 0.25, "low confidence") for name, label in zip(names, labels, strict=True)]
    manifest = tmp_path / "relabel.csv"
    manifest.write_text(as_csv(rows), encoding="utf-8")
    found = find_images(str(data), str(manifest), frozenset({"train", "eval"}))
    assert not found.left_out
    assert sorted((entry.name, entry.label) for entry in found.entries) == sorted(zip(names, labels, strict=True))
    assert dict(found.entries[0].columns)["predicted"] == "+other"
    assert '\n"-x.png' not in manifest.read_text()  # a spreadsheet would compute it


def test_passwords_in_addresses_are_masked():
    assert "HUSH" not in as_csv([("https://me:HUSH@web/a.png?sig=HUSH", "cat", "dog", 0.5, "low confidence")])
