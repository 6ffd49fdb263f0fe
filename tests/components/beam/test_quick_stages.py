"""Small pipelines do not pay for what Beam does again for each stage."""

import base64
import bz2
import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.internal import pickler
from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions
from apache_beam.transforms import core
from apache_beam.typehints.decorators import IOTypeHints, TypeCheckError

from efficientmixnet.components.beam import quick_stages
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS


class _Threads(beam.DoFn):
    """Yields the threads, and counts its elements."""

    def process(self, element: int) -> Iterator[list[str]]:
        Metrics.counter("test", "elements").inc(element)
        yield [thread.name for thread in threading.enumerate()]


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


def test_a_stage_measures_no_times_and_counts_as_before(tmp_path: Path) -> None:
    """The thread that measures times runs a method of this name, which is part of the thread's name."""
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = (
            pipeline
            | beam.Create([1, 2])
            | beam.ParDo(_Threads())
            | beam.Map(json.dumps)
            | beam.io.WriteToText(f"{tmp_path}/threads", shard_name_template="")
        )
    lines = (tmp_path / "threads").read_text().splitlines()
    assert len(lines) == 2
    assert not [name for line in lines for name in json.loads(line) if name.endswith("(run)")]
    (counted,) = pipeline.result.metrics().query(MetricsFilter().with_name("elements"))["counters"]
    assert counted.committed == 3


def test_the_runner_compresses_functions_with_zlib(tmp_path: Path) -> None:
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = (
            pipeline
            | beam.Create(["text"])
            | beam.Map(lambda text: pickler.dumps(text).decode())
            | beam.io.WriteToText(f"{tmp_path}/pickled", shard_name_template="")
        )
    assert b"text" in zlib.decompress(base64.b64decode((tmp_path / "pickled").read_text()))


def test_functions_for_other_runners_are_compressed_as_their_workers_expect() -> None:
    outside = pickler.dumps("text")
    with quick_stages.quick_pickles():
        inside = pickler.dumps("text")
        assert pickler.loads(outside) == pickler.loads(outside.decode()) == pickler.loads(inside) == "text"
    assert bz2.decompress(base64.b64decode(outside)) == zlib.decompress(base64.b64decode(inside))
    assert pickler.dumps("text") == outside
    assert pickler.loads(inside) == "text"


def test_type_hints_keep_their_message_without_a_stack() -> None:
    hints = IOTypeHints.empty().with_input_types(int)
    assert hints.origin == []
    with pytest.raises(TypeCheckError, match="requires PCollections of type '<class 'int'>'"):
        _ = beam.Pipeline(argv=list(IN_PROCESS)) | beam.Create(["a"]) | beam.Map(len).with_input_types(int)
