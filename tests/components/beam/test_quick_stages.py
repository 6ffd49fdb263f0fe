"""Small pipelines do not pay for what Beam does again for each stage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions
from apache_beam.runners.worker import statesampler
from apache_beam.transforms import core

from efficientmixnet.components.beam import in_process_runner  # noqa: F401
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS


def _periods(_: object) -> Iterator[int]:
    yield statesampler.get_current_tracker().sampling_period_ms


def test_options_are_parsed_once_for_the_same_flags() -> None:
    added: list[Any] = []

    class Options(PipelineOptions):
        @classmethod
        def _add_argparse_args(cls, parser: Any) -> None:
            added.append(parser)
            parser.add_argument("--color", default="red")
            parser.add_argument("--shape", action="append", default=None)

    options = PipelineOptions(["--color=blue", "--shape=round"])
    assert [options.view_as(Options).color for _ in range(3)] == ["blue"] * 3
    assert len(added) == 1
    assert PipelineOptions(["--color=green"]).view_as(Options).color == "green"
    assert Options(color="white").color == "white"


def test_a_changed_option_changes_all_views_of_the_same_options_but_no_others() -> None:
    first, second = (PipelineOptions(["--experiments=one"]) for _ in range(2))
    first.view_as(DebugOptions).add_experiment("two")
    assert first.view_as(DebugOptions).experiments == ["one", "two"]
    assert second.view_as(DebugOptions).experiments == ["one"]


def test_beam_finds_the_arguments_of_functions_and_methods() -> None:
    class Adder(beam.DoFn):
        def process(self, element: int, other: int = 3) -> Iterator[int]:
            yield element + other

    plain, bound = Adder.process, Adder().process
    for _ in range(2):
        assert core.get_function_args_defaults(plain) == (["self", "element", "other"], [3])
        assert core.get_function_args_defaults(bound) == (["element", "other"], [3])
    core.get_function_args_defaults(bound)[1].append(4)
    assert core.get_function_args_defaults(bound) == (["element", "other"], [3])


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
