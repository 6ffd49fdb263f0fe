"""The sizes of batches do not depend on the speed of the machine."""

from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from tfx_bsl.tfxio import tf_example_record

from efficientmixnet.components.fixed_batches import fixed_batches


def test_batches_have_64_images_and_the_last_one_has_the_rest(tmp_path: Path) -> None:
    """Beam's own sizes are 1, 2, 4 and so on, as long as batches are fast."""
    with tf.io.TFRecordWriter(str(tmp_path / "images")) as writer:
        for _ in range(150):
            writer.write(tf.train.Example().SerializeToString())

    def write_size(batch: pa.RecordBatch) -> None:
        with (tmp_path / "sizes").open("a") as file:
            file.write(f"{batch.num_rows}\n")

    with fixed_batches(), beam.Pipeline(runner="DirectRunner") as pipeline:
        source = tf_example_record.TFExampleRecord(
            str(tmp_path / "images"), raw_record_column_name="record", telemetry_descriptors=["test"]
        )
        _ = pipeline | source.BeamSource() | beam.Map(write_size)
    assert (tmp_path / "sizes").read_text().split() == ["64", "64", "22"]
