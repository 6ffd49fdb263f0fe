"""Small pipelines do not pay for what Beam does again for each stage."""

import gettext
import os
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.worker import statesampler

from efficientmixnet.components.beam import in_process_runner  # noqa: F401
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS


def _periods(_: object) -> Iterator[int]:
    yield statesampler.get_current_tracker().sampling_period_ms


def test_beam_looks_for_translations_once(monkeypatch: pytest.MonkeyPatch) -> None:
    exists, looked_for = os.path.exists, []

    def noted(path: str) -> bool:
        if "LC_MESSAGES" in str(path):
            looked_for.append(path)
        return exists(path)

    monkeypatch.setattr("os.path.exists", noted)
    monkeypatch.setenv("LANGUAGE", "de_DE.UTF-8")
    for _ in range(2):
        before = len(looked_for)
        with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
            _ = pipeline | beam.Create([1]) | beam.Map(str)
    assert len(looked_for) == before


def test_translations_in_other_folders_are_looked_for_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    file = tmp_path / "de" / "LC_MESSAGES" / "some.mo"
    assert gettext.find("some", str(tmp_path)) is None
    file.parent.mkdir(parents=True)
    file.touch()
    assert gettext.find("some", str(tmp_path)) == gettext.find("some", str(tmp_path), ["de"]) == str(file)
    monkeypatch.setenv("LANGUAGE", "fr")
    assert gettext.find("some", str(tmp_path)) is None


def test_a_stage_waits_at_most_a_hundredth_of_a_second_for_its_sampler(tmp_path: Path) -> None:
    """Beam's sampler is sure to end within its period."""
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = (
            pipeline
            | beam.Create([1])
            | beam.FlatMap(_periods)
            | beam.Map(str)
            | beam.io.WriteToText(f"{tmp_path}/periods", shard_name_template="")
        )
    assert int((tmp_path / "periods").read_text()) <= 10
