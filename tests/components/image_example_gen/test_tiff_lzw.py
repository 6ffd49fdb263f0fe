"""TIFF files with LZW give the pixels that were written, and damaged ones are left out."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from efficientmixnet.components.image_example_gen.tiff_page import TiffPage
from efficientmixnet.modules.exceptions import BadImage

READ = """
import sys
from pathlib import Path
from efficientmixnet.components.image_example_gen.tiff_page import TiffPage
from efficientmixnet.modules.exceptions import BadImage
try:
    TiffPage(Path(sys.argv[1]).read_bytes()).values()
except BadImage as error:
    print(error)
"""


def _pixels(kind: str) -> np.ndarray:
    """An image of 37 x 29 pixels with runs, which LZW packs, and noise."""
    values = np.random.default_rng(0).integers(0, 60_000, (29, 37, 3))
    values[5:20] = 7
    return values.astype(kind)


def _written(pixels: np.ndarray, compression: str = "lzw", **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, compression=compression, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32"])
@pytest.mark.parametrize("options", [{}, {"predictor": True}, {"rowsperstrip": 4}, {"tile": (16, 32)}], ids=str)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_pixels_are_those_that_were_written(kind: str, options: dict[str, Any], byteorder: str) -> None:
    pixels = _pixels(kind)
    file = _written(pixels, photometric="rgb", byteorder=byteorder, **options)
    assert np.array_equal(TiffPage(file).values(), pixels)


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 4}, {"tile": (16, 16)}, {"bigtiff": True}], ids=str)
def test_channels_one_after_another_and_other_pages_are_read(options: dict[str, Any]) -> None:
    pixels = _pixels("uint16")
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=options.pop("bigtiff", False)) as writer:
        writer.write(np.zeros((8, 8), np.uint16), compression="lzw")
        planes = np.moveaxis(pixels, -1, 0)
        writer.write(planes, compression="lzw", planarconfig="separate", photometric="rgb", **options)
    assert np.array_equal(TiffPage(file.getvalue(), 1).values(), pixels)


def test_rows_of_12_bits_are_read() -> None:
    packed = bytes.fromhex("123456789abc")  # 0x123, 0x456, 0x789 and 0xabc
    file = bytearray(_written(np.frombuffer(packed, np.uint8).reshape(1, 6)))
    with tifffile.TiffFile(stream := io.BytesIO(file)) as tiff:
        tags = tiff.pages[0].tags  # type: ignore[union-attr]
        tags["ImageWidth"].overwrite(4)
        tags["BitsPerSample"].overwrite(12)
    assert TiffPage(stream.getvalue()).values().ravel().tolist() == [0x123, 0x456, 0x789, 0xABC]


@pytest.mark.parametrize("compression", ["lzw", "zlib"])
def test_more_tiles_than_the_image_has_are_refused(compression: str) -> None:
    file = io.BytesIO(_written(_pixels("uint16"), photometric="rgb", tile=(16, 16), compression=compression))
    with tifffile.TiffFile(file) as tiff:
        for name in ("TileOffsets", "TileByteCounts"):
            tag = tiff.pages[0].tags[name]  # type: ignore[union-attr]
            tag.overwrite(tag.value * 1000)
    with pytest.raises(BadImage, match=r"^is a truncated or corrupt TIFF file$"):
        TiffPage(file.getvalue())


def test_data_that_ends_too_early_is_refused() -> None:
    file = io.BytesIO(_written(_pixels("uint16"), photometric="rgb"))
    with tifffile.TiffFile(file) as tiff:
        counts = tiff.pages[0].tags["StripByteCounts"]  # type: ignore[union-attr]
        counts.overwrite(counts.value[0] // 2)
    with pytest.raises(BadImage, match=r"^is a truncated or corrupt TIFF file$"):
        TiffPage(file.getvalue()).values()


def test_codes_that_are_not_in_the_table_do_not_end_the_process(tmp_path: Path) -> None:
    """The codes 256, 256, 256, 260, 98, 263 and 33, of 9 bits each. 256 empties the table of 258 codes."""
    codes = "".join(f"{code:09b}" for code in (256, 256, 256, 260, 98, 263, 33)).ljust(64, "0")
    data = int(codes, 2).to_bytes(8, "big")
    file = io.BytesIO(_written(_pixels("uint16"), photometric="rgb"))
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0]
        file.seek(page.dataoffsets[0])
        file.write(data)
        page.tags["StripByteCounts"].overwrite(len(data))  # type: ignore[union-attr]
    (tmp_path / "hostile.tiff").write_bytes(file.getvalue())
    command = [sys.executable, "-c", READ, str(tmp_path / "hostile.tiff")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (0, "is a truncated or corrupt TIFF file\n")
