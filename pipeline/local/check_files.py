"""check_files: checks before a run that the further files of the configuration can be read."""

from pathlib import Path

from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.data_config import DataConfig

_MOST_BYTES = 100_000_000


def check_files(data: DataConfig) -> None:
    """Checks data.schema_file and data.served.

    Raises:
        BadInput: A file cannot be read or is not a schema, or a folder does not exist.
    """
    if data.schema_file and not is_remote(data.schema_file):
        _check_schema(Path(data.schema_file))
    if data.served and not is_remote(data.served) and not Path(data.served).is_dir():
        raise BadInput(f"data.served: {data.served} is not a folder; give the folder of the served images")


def _check_schema(file: Path) -> None:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        raise BadInput(f"data.schema_file: {file} is not a file with a schema; give a schema.pbtxt")
    try:
        text_format.Parse(file.read_text(encoding="utf-8"), schema_pb2.Schema())
    except OSError as error:
        raise BadInput(f"data.schema_file: {file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, text_format.ParseError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"data.schema_file: {file} is not a schema ({reason}); give a schema.pbtxt") from None
