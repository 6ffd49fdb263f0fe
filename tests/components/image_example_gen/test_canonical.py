"""Tests of what canonical imports. test_image.py tests the files that it makes."""

import io
import subprocess
import sys

import pytest
from PIL import Image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_common_formats_are_converted_without_tensorflow(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (6, 5), "red").save(file, kind)
    code = f"""
import sys
from efficientmixnet.components.image_example_gen.canonical import canonical
converted, header = canonical({file.getvalue()!r}, 100)
print(header.format, converted[1:4], "tensorflow" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    start = file.getvalue()[1:4] if kind == "JPEG" else b"PNG"
    assert found.stdout.strip() == f"{kind} {start} False"
