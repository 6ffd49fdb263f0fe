"""Writes transformed digits, their graph and schema to FOLDER in the store, and prints Trainer's inputs as JSON."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import fsspec
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from efficientmixnet.components.image_example_gen.image import read
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import features
from efficientmixnet.modules.preprocessing import preprocessing_fn
from efficientmixnet.pipeline.commands.digits import write_digits

SIDE = 16
TAKEN = 800
RAW_SPEC = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL: tf.io.FixedLenFeature([], tf.string),
    features.FILENAME: tf.io.FixedLenFeature([], tf.string),
    features.DEPTH: tf.io.FixedLenFeature([], tf.int64),
    features.CHANNEL_MEAN: tf.io.FixedLenFeature([3], tf.float32),
    features.CHANNEL_MEAN_SQUARE: tf.io.FixedLenFeature([3], tf.float32),
}


def main(folder: str) -> None:
    fsspec.filesystem("s3", config_kwargs={"s3": {"addressing_style": "path"}}).mkdir("mlpipeline")
    with tempfile.TemporaryDirectory() as place:
        write_digits(Path(place) / "digits")
        transform(place)
        for name in ("transformed_examples", "transform_graph", "schema"):
            object_store.upload(f"{place}/{name}", f"{folder}/{name}")
    artifacts = {
        "examples": (f"{folder}/transformed_examples", {"split_names": '["train", "eval"]'}),
        "transform_graph": (f"{folder}/transform_graph", {}),
        "schema": (f"{folder}/schema", {}),
    }
    print(
        json.dumps(
            {
                name: {"artifacts": [{"name": str(number), "uri": uri, "metadata": metadata}]}
                for number, (name, (uri, metadata)) in enumerate(artifacts.items(), start=1)
            }
        )
    )


def transform(place: str) -> None:
    """Writes what ImageExampleGen, SchemaGen and Transform would write."""
    entries = sorted(find_images(f"{place}/digits", None, frozenset()).entries, key=mixed)
    serialized = [read(entry, 10**6).SerializeToString() for entry in entries[:TAKEN]]
    rows = [tf.io.parse_single_example(one, RAW_SPEC) for one in serialized]
    arrays = [{name: value.numpy() for name, value in row.items()} for row in rows]
    metadata = tft.DatasetMetadata.from_feature_spec(RAW_SPEC)
    runner = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    with beam.Pipeline(runner=runner) as pipeline, tft_beam.Context(temp_dir=f"{place}/temp"):
        splits = {"train": arrays[: TAKEN * 4 // 5], "eval": arrays[TAKEN * 4 // 5 :]}
        raw = {name: (pipeline | f"Create {name}" >> beam.Create(rows), metadata) for name, rows in splits.items()}
        transform_fn = raw["train"] | tft_beam.AnalyzeDataset(lambda ins: preprocessing_fn(ins, {"shorter_side": SIDE}))
        for name, one in raw.items():
            data, data_metadata = (one, transform_fn) | f"Transform {name}" >> tft_beam.TransformDataset()
            coder = tft.coders.ExampleProtoCoder(data_metadata.schema)
            path = f"{place}/transformed_examples/Split-{name}/transformed_examples"
            encoded = data | f"Encode {name}" >> beam.Map(coder.encode)
            _ = encoded | f"Write {name}" >> beam.io.WriteToTFRecord(path, file_name_suffix=".gz")
        _ = transform_fn | tft_beam.WriteTransformFn(f"{place}/transform_graph")
        _ = metadata | tft_beam.WriteMetadata(f"{place}/transform_graph/metadata", pipeline)
    Path(place, "schema").mkdir()
    Path(place, "schema", "schema.pbtxt").write_text(str(metadata.schema))


def mixed(entry: Any) -> str:
    """A sort key that mixes the classes and is always the same."""
    return hashlib.sha256(entry.path.encode()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
