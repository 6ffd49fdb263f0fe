"""few_rows: a damaged image whose damage only a decoder finds."""

import io

from PIL import Image

_AFTER_HEADER = 33  # bytes


def few_rows() -> bytes:
    """Returns a PNG file of 40 rows whose header says 80."""
    files = []
    for height in (80, 40):
        file = io.BytesIO()
        Image.effect_noise((40, height), 90).convert("RGB").save(file, "PNG")
        files.append(file.getvalue())
    return files[0][:_AFTER_HEADER] + files[1][_AFTER_HEADER:]
