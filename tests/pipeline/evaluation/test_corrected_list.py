"""A corrected relabel list changes what is measured, and evaluate does not overwrite it."""


def test_a_corrected_relabel_list_is_measured_but_not_overwritten(call, images, tmp_path):
    call(images)
    listed = tmp_path / "found" / "relabel.csv"
    listed.write_text(listed.read_text().replace('"bright"', '"dark"'))
    before = listed.read_bytes()
    result, _ = call(images, "--set", f"data.manifest={listed}")
    assert result.exit_code == 2
    message = f"error: data.manifest: {listed} would be overwritten; give another folder with --output"
    assert result.output.splitlines()[1:] == [message]
    assert listed.read_bytes() == before
    listed.rename(tmp_path / "corrected.csv")
    result, found = call(images, "--set", f"data.manifest={tmp_path / 'corrected.csv'}")
    assert result.exit_code == 0, result.output
    assert found["data"] == str(tmp_path / "corrected.csv")


def test_a_corrected_relabel_list_stays_when_the_images_are_measured_again(call, images, output, tmp_path):
    listed = tmp_path / "found" / "relabel.csv"
    call(images)
    first = listed.read_bytes()
    result, _ = call(images, model=output / "other")  # with other predictions
    assert listed.read_bytes() != first
    assert "was changed" not in result.output
    corrected = listed.read_bytes().replace(b'"bright"', b'"dark"', 1)
    listed.write_bytes(corrected)
    for model in (output / "other", output, output):
        result, found = call(images, model=model)
        assert result.exit_code == 0, result.output
        assert f"{listed}: was changed, so it stays as it is" in result.output
        assert listed.read_bytes() == corrected
    assert found["metrics"]["accuracy"]["value"] == 7 / 8
    listed.unlink()
    result, _ = call(images)
    assert listed.read_bytes() == first
    assert "was changed" not in result.output


def test_a_corrected_relabel_list_changes_the_labels_that_are_measured(call, images, tmp_path):
    call(images)
    listed = tmp_path / "found" / "relabel.csv"
    header, wrong, *others = listed.read_text().splitlines(keepends=True)  # the only mistake is the first row
    label, predicted = wrong.split(",")[1:3]
    listed.write_text("".join([header, wrong.replace(f",{label},", f",{predicted},", 1), *others]))
    result, _ = call(images, "--set", f"data.corrections={listed}")
    assert result.exit_code == 2
    message = f"error: data.corrections: {listed} would be overwritten; give another folder with --output"
    assert result.output.splitlines()[1:] == [message]
    listed.rename(tmp_path / "corrected.csv")
    result, found = call(images, "--set", f"data.corrections={tmp_path / 'corrected.csv'}")
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (8, 1)


def test_a_relabel_list_stays_if_its_predictions_are_damaged(call, images, output, tmp_path):
    call(images)
    first = (tmp_path / "found" / "relabel.csv").read_bytes()
    (tmp_path / "found" / "predictions.parquet").write_bytes(b"cut off")
    result, _ = call(images, model=output / "other")
    assert result.exit_code == 0, result.output
    assert "relabel.csv: was changed, so it stays as it is" in result.output
    assert (tmp_path / "found" / "relabel.csv").read_bytes() == first
