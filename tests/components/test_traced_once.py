"""Transform traces its function once to find what it reads, loads each graph once, and computes the same."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.testing.util import assert_that, equal_to
from tensorflow_transform import impl_helper
from tensorflow_transform.beam.impl import _RunMetaGraphDoFn
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from efficientmixnet.components.traced_once import traced_once
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS

FEATURES = {"x": tf.io.FixedLenFeature([], tf.float32)}
SPECS = {"x": tf.TensorSpec([None], tf.float32)}
CENTERED = [{"y": np.float32(-1.0)}, {"y": np.float32(1.0)}]  # 1 and 3 without their mean
Inputs = dict[str, tf.Tensor]


def _centered(calls: list[str]) -> Callable[[Inputs], Inputs]:
    def preprocessing_fn(inputs: Inputs) -> Inputs:
        calls.append("traced")
        return {"y": inputs["x"] - tft.mean(inputs["x"])}

    return preprocessing_fn


def _run(folder: Path, monkeypatch: pytest.MonkeyPatch, context: Any) -> tuple[list[str], list[str]]:
    """Does what TFX's Transform does: it asks for the columns, then analyzes one split and transforms two.

    Returns:
        A text for each trace, and the folder of each loaded graph.
    """
    calls: list[str] = []
    loaded: list[str] = []

    class Loaded(_RunMetaGraphDoFn._GraphStateV2):  # type: ignore[misc]
        def __init__(self, folder: str, *args: Any) -> None:
            loaded.append(folder)
            super().__init__(folder, *args)

    function = _centered(calls)
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(FEATURES))
    images = [{"x": 1.0}, {"x": 3.0}]
    monkeypatch.setattr(_RunMetaGraphDoFn, "_GraphStateV2", Loaded)
    with context, beam.Pipeline(argv=list(IN_PROCESS)) as pipeline, tft_beam.Context(str(folder)):
        assert tft.get_analyze_input_columns(function, SPECS) == ["x"]
        assert tft.get_transform_input_columns(function, SPECS) == ["x"]
        data = pipeline | beam.Create(images)
        transform_fn = (data, metadata) | tft_beam.AnalyzeDataset(function)
        for split in ("train", "eval"):
            found, _ = ((data, metadata), transform_fn) | split >> tft_beam.TransformDataset()
            assert_that(found, equal_to(CENTERED), label=f"{split} is centered")
    monkeypatch.undo()
    return calls, loaded


def test_a_function_is_traced_once_for_its_columns_and_a_graph_is_loaded_once(tmp_path, monkeypatch):
    calls, loaded = _run(tmp_path / "plain", monkeypatch, nullcontext())
    fewer_calls, fewer_loaded = _run(tmp_path / "once", monkeypatch, traced_once())
    assert len(calls) - len(fewer_calls) == 1  # for both questions about columns
    assert len(set(loaded)) == len(set(fewer_loaded)) == len(fewer_loaded) < len(loaded)


def test_another_function_or_other_inputs_get_their_own_graph():
    first, second = [], []
    function = _centered(first)
    with traced_once():
        for specs in (SPECS, {"x": tf.TensorSpec([None, 1], tf.float32)}):
            impl_helper.trace_preprocessing_function(function, specs, False)
        impl_helper.trace_preprocessing_function(_centered(second), SPECS, False)
    assert (len(first), len(second)) == (2, 1)


def test_tft_is_as_before_afterward_even_after_an_error():
    before = impl_helper.trace_preprocessing_function, _RunMetaGraphDoFn._GraphStateV2
    with pytest.raises(KeyError), traced_once():
        raise KeyError
    assert before == (impl_helper.trace_preprocessing_function, _RunMetaGraphDoFn._GraphStateV2)
