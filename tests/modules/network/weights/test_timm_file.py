"""Every type of a safetensors file is read, or named."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from efficientmixnet.modules.network.weights.timm_file import read_tensors


def write(path: Path, kind: str, values: bytes, size: int) -> None:
    """As the format's description says: the length of the header, the header in JSON, the values."""
    header = json.dumps({"a.weight": {"dtype": kind, "shape": [1, size], "data_offsets": [0, len(values)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + values)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        # 1.5 and -2: sign, exponent, fraction
        ("F32", struct.pack("<2f", 1.5, -2), "float32"),
        ("F16", struct.pack("<2e", 1.5, -2), "float16"),
        ("F64", struct.pack("<2d", 1.5, -2), "float64"),
        ("BF16", struct.pack("<2H", 0b0_01111111_1000000, 0b1_10000000_0000000), "float32"),
        ("F8_E4M3", bytes([0b0_0111_100, 0b1_1000_000]), "float32"),
        ("F8_E5M2", bytes([0b0_01111_10, 0b1_10000_00]), "float32"),
    ],
)
def test_floats_of_every_size_are_read(tmp_path: Path, kind: str, values: bytes, expected: str) -> None:
    write(tmp_path / "a.safetensors", kind, values, 2)
    tensors = read_tensors(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(tensors["a.weight"], [[1.5, -2]])
    assert tensors["a.weight"].dtype == expected


def test_integers_are_not_taken_for_weights(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", "U8", bytes([1, 2]), 2)
    with pytest.raises(ValueError, match=r"a\.safetensors': 'a\.weight' is of type U8; save the weights as float32"):
        read_tensors(tmp_path / "a.safetensors")
