"""damaged_input: finds the damaged file that made a component fail.

TensorFlow and Beam say what is wrong with the bytes, but not in which file. So the inputs are read again.
"""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.components.evaluator.verdict import read_verdict
from efficientmixnet.components.tuner.hyperparameters import found_in
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import SERVING_FOLDER
from efficientmixnet.modules.files.stored_file import damage_named, made_again
from efficientmixnet.pipeline.runs.metadata import METADATA_FILE, latest_artifacts, open_metadata

_BLOCK = 2**20  # bytes


def damaged_input(output: Path) -> BadInput | None:
    """Returns an error that names the first damaged file of the last component's inputs; None if there is none.

    Args:
        output: The output folder of the run.
    """
    store = open_metadata(output / METADATA_FILE)
    for artifact in latest_artifacts(store, metadata_store_pb2.Event.INPUT):
        try:
            with damage_named(artifact.uri, made_again(artifact.uri), Exception):
                _CHECKS.get(artifact.type, _check_nothing)(Path(artifact.uri))
        except BadInput as found:
            return found
    return None


def _check_records(folder: Path) -> None:
    for file in sorted(folder.rglob("*.gz")):
        with damage_named(file, made_again(folder)), gzip.open(file) as records:
            while records.read(_BLOCK):
                pass  # gzip compares the checksum at the end


def _check_saved_model(folder: Path) -> None:
    import tensorflow as tf

    with damage_named(folder, made_again(folder.parent), Exception):
        tf.saved_model.load(str(folder))


def _check_statistics(folder: Path) -> None:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    for file in sorted(folder.glob("Split-*/*.pb")):
        with damage_named(file, made_again(folder), Exception):
            statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())


def _check_schema(folder: Path) -> None:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    for file in sorted(folder.glob("*.pbtxt")):
        with damage_named(file, made_again(folder), Exception):
            text_format.Parse(file.read_text(encoding="utf-8"), schema_pb2.Schema())


def _check_nothing(folder: Path) -> None:
    pass


_CHECKS: Mapping[str, Callable[[Path], object]] = {
    "Examples": _check_records,
    "ExampleStatistics": _check_statistics,
    "HyperParameters": lambda folder: found_in(str(folder)),
    "Model": lambda folder: _check_saved_model(folder / SERVING_FOLDER),
    "ModelEvaluation": lambda folder: read_verdict(str(folder)),
    "Schema": _check_schema,
    "TransformGraph": lambda folder: _check_saved_model(folder / "transform_fn"),
}
