"""Parquet files with an encoded picture in a column, as Hugging Face's data sets are stored."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow

from efficientmixnet.components.image_example_gen.files import open_file
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.reader import Damaged, Sample
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.parquet_file import UnsafeSchema, open_parquet

_ROWS = 64  # at once, so that memory stays small


def read_parquet(path: str, layout: Layout, with_pictures: bool) -> Iterator[Sample]:
    """Every row; see sample.Reader."""
    with open_file(path) as file:
        try:
            table = open_parquet(file)
            picture, label = _columns(path, table.schema_arrow, layout)
            names = _label_names(table.schema_arrow, label)
            further = list(layout.features or ())
            columns = [
                label,
                *([layout.split] if layout.split else []),
                *further,
                *([picture] if with_pictures else []),
            ]
            row = 0
            for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
                for values in batch.to_pylist():
                    yield Sample(
                        name=str(row),
                        label=values[label],
                        split=values[layout.split] if layout.split else None,
                        columns=tuple((name, values[name]) for name in further),
                        picture=_bytes(values[picture]) if with_pictures else None,
                        label_names=names,
                    )
                    row += 1
        except UnsafeSchema as error:
            raise BadInput(f"data.pictures: {path}: {error}") from None
        except (pyarrow.ArrowException, OSError) as error:
            raise Damaged(f"is no Parquet file, or a damaged one ({str(error).splitlines()[0]})") from None


def _columns(path: str, schema: pyarrow.Schema, layout: Layout) -> tuple[str, str]:
    """The columns of picture and label."""
    with_bytes = [field.name for field in schema if _holds_bytes(field.type)]
    picture = layout.picture or ("image" if "image" in with_bytes or len(with_bytes) != 1 else with_bytes[0])
    label = layout.label or "label"
    further = [*([layout.split] if layout.split else []), *(layout.features or ())]
    missing = [f"column {name!r}" for name in (picture, label, *further) if name not in schema.names]
    if missing:
        raise BadInput(
            f"data.pictures: {path} has no {' and no '.join(missing)}; its columns are {', '.join(schema.names)}: "
            "name those of picture and label in data.layout.picture and data.layout.label"
        )
    if picture not in with_bytes:
        raise BadInput(
            f"data.layout.picture: the column {picture!r} of {path} holds {schema.field(picture).type}, no encoded "
            "pictures; name one that holds bytes"
        )
    return picture, label


def _holds_bytes(kind: pyarrow.DataType) -> bool:
    if pyarrow.types.is_struct(kind):  # Hugging Face's Image: bytes and path
        names = [kind[i].name for i in range(kind.num_fields)]
        return "bytes" in names and _holds_bytes(kind[names.index("bytes")].type)
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def _label_names(schema: pyarrow.Schema, label: str) -> tuple[str, ...]:
    """The names of Hugging Face's ClassLabel, which stores numbers."""
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        return tuple(about["info"]["features"][label]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _bytes(value: Any) -> bytes:
    """Without its bytes a picture is an empty file, and is left out as one."""
    return (value.get("bytes") if isinstance(value, dict) else value) or b""
