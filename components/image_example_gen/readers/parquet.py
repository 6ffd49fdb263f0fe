"""Parquet files with a column of encoded images, such as Hugging Face's datasets."""

from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.parquet

from efficientmixnet.components.image_example_gen.entry import too_large
from efficientmixnet.components.image_example_gen.files import open_file
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.reader import Sample
from efficientmixnet.modules.exceptions import BadInput, DamagedFile, NoLabels, UnsafeSchema
from efficientmixnet.modules.failures.unexpected import one_line
from efficientmixnet.modules.files.parquet_file import open_parquet
from efficientmixnet.modules.files.untrusted_json import parse_json

_ROWS = 64  # at once, to use little memory
_BATCH_BYTES = 2**30
_MOST_COMPRESSION = 100


def read_parquet(path: str, layout: Layout, with_images: bool, max_bytes: int) -> Iterator[Sample]:
    """Yields every row; see Reader."""
    with open_file(path) as file:
        try:
            table = open_parquet(file)
            image, label = _columns(path, table.schema_arrow, layout)
            names = _label_names(table.schema_arrow, label)
            split = layout.split_among(table.schema_arrow.names)
            further = list(layout.features or ())
            wanted = (label, split, *further, image if with_images else None)
            columns = [name for name in dict.fromkeys(wanted) if name]
            for row, values in enumerate(_rows(table, columns, max_bytes)):
                encoded = _bytes(values[image]) if with_images else None
                yield Sample(
                    name=str(row),
                    label=values[label],
                    split=values[split] if split else None,
                    columns=tuple((name, values[name]) for name in further),
                    image=encoded,
                    label_names=names,
                    fault=too_large(len(encoded), max_bytes) if encoded and len(encoded) > max_bytes else "",
                )
        except UnsafeSchema as error:
            raise BadInput(f"data.images: {path}: {error}") from None
        except (BadInput, DamagedFile):
            raise
        except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:  # text in UTF-8, dates
            raise DamagedFile(f"is not a Parquet file, or is damaged ({one_line(error)})") from None


def _rows(table: pyarrow.parquet.ParquetFile, columns: list[str], max_bytes: int) -> Iterator[dict[str, Any]]:
    """Yields the rows. A batch has few rows where values may be large, to use little memory.

    Encoded images and labels do not compress well, so a large group that does is refused.
    """
    for number in range(table.num_row_groups):
        group = table.metadata.row_group(number)
        for chunk in map(group.column, range(group.num_columns)):
            size = chunk.total_uncompressed_size
            if size > max_bytes and size > _MOST_COMPRESSION * chunk.total_compressed_size:
                raise DamagedFile(f"unpacks a column to {size:,} bytes (data.max_image_bytes: {max_bytes})")
        rows = max(1, min(_ROWS, _BATCH_BYTES // max(1, group.total_byte_size)))
        for batch in table.iter_batches(batch_size=rows, row_groups=[number], columns=columns):
            yield from batch.to_pylist()


def _columns(path: str, schema: pyarrow.Schema, layout: Layout) -> tuple[str, str]:
    """Returns the columns of image and label."""
    with_bytes = [field.name for field in schema if _holds_bytes(field.type)]
    image = layout.image or ("image" if "image" in with_bytes or len(with_bytes) != 1 else with_bytes[0])
    label = layout.label or "label"
    further = [*([layout.split] if layout.split else []), *(layout.features or ())]
    missing = [f"column {name!r}" for name in (image, label, *further) if name not in schema.names]
    if missing:
        kind = NoLabels if image in schema.names and label not in schema.names else BadInput
        raise kind(
            f"data.images: {path} has no {' and no '.join(missing)}; its columns are {', '.join(schema.names)}. "
            "Name the columns of image and label in data.layout.image and data.layout.label."
        )
    if image not in with_bytes:
        raise BadInput(
            f"data.layout.image: the column {image!r} of {path} holds {schema.field(image).type}, not encoded "
            "images. Name a column of bytes."
        )
    return image, label


def _holds_bytes(kind: pyarrow.DataType) -> bool:
    if pyarrow.types.is_struct(kind):  # Hugging Face's Image, with bytes and path
        names = [kind[i].name for i in range(kind.num_fields)]
        return "bytes" in names and _holds_bytes(kind[names.index("bytes")].type)
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def _label_names(schema: pyarrow.Schema, label: str) -> tuple[str, ...]:
    """Returns the names of Hugging Face's ClassLabel, which stores numbers."""
    try:
        about = parse_json((schema.metadata or {})[b"huggingface"])
        return tuple(about["info"]["features"][label]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _bytes(value: Any) -> bytes:
    """Returns the image's bytes; no bytes where there are none, so that the image is left out."""
    return (value.get("bytes") if isinstance(value, dict) else value) or b""
