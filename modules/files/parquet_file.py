"""open_parquet: opens an untrusted Parquet file without running code that its schema may contain."""

import warnings
from pathlib import Path
from typing import IO

import pyarrow
import pyarrow.parquet

import efficientmixnet.modules.stack  # noqa: F401  (forbids pickled types in pyarrow 10)
from efficientmixnet.modules.exceptions import UnsafeSchema

_PICKLED = "arrow.py_extension_type"


def open_parquet(file: str | Path | IO[bytes]) -> pyarrow.parquet.ParquetFile:
    """Opens the file for reading.

    Args:
        file: A path or an open binary file.

    Returns:
        The file. Only its footer has been read.

    Raises:
        UnsafeSchema: A column's type is a pickled Python class. It is never unpickled.
        pyarrow.ArrowException: The file is not a Parquet file, or its footer is damaged.
        OSError: The file cannot be read.

    Example:
        >>> open_parquet("flowers.parquet").schema_arrow.names
        ['image', 'label']
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # newer pyarrow warns about types that are refused below
        try:
            opened = pyarrow.parquet.ParquetFile(file)
        except (pyarrow.ArrowException, OSError, MemoryError):
            raise
        except Exception:  # from pyarrow_hotfix, which can fail when it inspects the pickle for its message
            raise UnsafeSchema from None
        if any(_holds_pickled_type(field.type) for field in opened.schema_arrow):
            raise UnsafeSchema
    return opened


def _holds_pickled_type(kind: pyarrow.DataType) -> bool:
    """Whether the type is a pickled Python class, or contains one."""
    if isinstance(kind, pyarrow.BaseExtensionType):
        return kind.extension_name == _PICKLED
    return any(_holds_pickled_type(kind.field(i).type) for i in range(kind.num_fields))
