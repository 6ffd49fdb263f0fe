"""InProcessRunner: what it does to the process that it runs in."""

import gc

import apache_beam as beam
import pytest

from efficientmixnet.components.beam.in_process_runner import InProcessRunner


def test_the_objects_before_a_run_are_not_looked_through_for_garbage() -> None:
    before = len(gc.get_objects())

    def check(_: int) -> None:
        assert gc.get_freeze_count() > 0.9 * before  # some objects are gone since

    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        _ = pipeline | beam.Create([1]) | beam.Map(check)
    assert gc.get_freeze_count() == 0


def test_a_failed_run_lets_the_collector_look_at_all_objects_again() -> None:
    def fail(_: int) -> None:
        raise ValueError("broken")

    with pytest.raises(Exception, match="broken"), beam.Pipeline(runner=InProcessRunner()) as pipeline:
        _ = pipeline | beam.Create([1]) | beam.Map(fail)
    assert gc.get_freeze_count() == 0
