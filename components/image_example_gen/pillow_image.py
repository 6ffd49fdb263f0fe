"""PillowImage: an image file that Pillow reads."""

import io
import math
import struct
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from efficientmixnet.components.image_example_gen.cmyk import with_true_cmyk
from efficientmixnet.components.image_example_gen.damaged import damaged
from efficientmixnet.components.image_example_gen.depth import LARGEST, as_16_bits
from efficientmixnet.components.image_example_gen.jpeg_end import has_end
from efficientmixnet.components.image_example_gen.plain_png import plain_png
from efficientmixnet.components.image_example_gen.png_rows import has_all_rows
from efficientmixnet.modules.data import exif
from efficientmixnet.modules.exceptions import BadImage

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "HEIF", "AVIF", "JPEG2000", "PPM", "PCX", "SGI")
"""Pillow's names. Its other formats have no signature, are slow, need a program, or are not for photographs."""

# What Pillow and its plugins raise for a damaged file.
_ERRORS = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    struct.error,
)
_HEIF_BRAND, _HEIF_TURNS = b"ftyp", (b"irot", b"imir")
_BITS, _SAMPLES, _COLOR_MAP, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 277, 320, 338, 339  # tags of TIFF
_WIDTH, _HEIGHT, _STRIPS, _ROWS_OF_STRIP, _PLANAR = 256, 257, 273, 278, 284
_TILE_WIDTH, _TILE_LENGTH, _TILES = 322, 323, 324
_SEPARATE = 2  # a value of PLANAR
_UNSIGNED = (1,)
_PNG_BITS = 24  # the place in a PNG file
_GRAY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})  # Pillow's modes

Image.MAX_IMAGE_PIXELS = None  # the configuration has its own limit, data.max_pixels


class PillowImage:
    """An image file whose pixels are not decoded yet.

    Args:
        file: The encoded image.
        page: The number of the page of a TIFF file, from 0.

    Raises:
        BadImage: The header is damaged, or the format is not in FORMATS.
    """

    def __init__(self, file: bytes, page: int = 0) -> None:
        formats = _formats() if file[4:8] == _HEIF_BRAND else [kind for kind in FORMATS if kind != "HEIF"]
        is_png = file.startswith(exif.PNG)
        if file.startswith(exif.JPEG) and not has_end(file):
            raise damaged("JPEG")
        readable = plain_png(file) if is_png else file
        self._unchecked = readable if is_png else None
        try:
            self._image: Image.Image = Image.open(io.BytesIO(readable), formats=formats)
            if page:
                self._image.seek(page)
            _check_strips(self._image)
            self._image.info.pop("xmp", None)  # Pillow would turn a TIFF file by an orientation in XMP.
            if readable is not file:
                _scale_transparent_color(self._image, bits=file[_PNG_BITS])
        except UnidentifiedImageError:
            raise BadImage("is not an image in a supported format") from None
        except _ERRORS as error:
            raise BadImage(f"has a broken header ({error})") from None
        # To Pillow, a JPEG file with further images behind the first one is an MPO file.
        self.is_array = False
        self.format = str(self._image.format).replace("MPO", "JPEG")
        self.mode = self._image.mode
        """The colors, by Pillow's name."""
        self.channels = 1 if self.mode in _GRAY else 3
        """The channels of the colors, without alpha."""
        self.size = self._image.size
        """Width and height as stored, in pixels."""
        self.orientation = _orientation(file, self._image)
        """As in EXIF."""

    @property
    def is_deep_tiff(self) -> bool:
        """Whether this is a TIFF file with more than 8 bits a channel."""
        tags = getattr(self._image, "tag_v2", {})  # of TIFF files alone
        return max(tags.get(_BITS, (1,))) > 8 or set(tags.get(_SAMPLE_FORMAT, _UNSIGNED)) != set(_UNSIGNED)

    @property
    def bands(self) -> int:
        """The samples of a pixel of a TIFF file, except alpha and the black of CMYK."""
        tags = getattr(self._image, "tag_v2", {})
        others = len(self._alphas) + (self.mode == "CMYK")
        return int(tags.get(_SAMPLES, 1)) - others

    @property
    def _alphas(self) -> set[int]:
        """The kinds of alpha that a TIFF file names: 1 is premultiplied."""
        return {1, 2} & set(getattr(self._image, "tag_v2", {}).get(_EXTRA_SAMPLES, ()))

    def load(self, side: int | None = None) -> None:
        """Decodes the pixels.

        Args:
            side: If given, a JPEG file is decoded at a smaller size, with sides of at least this many pixels.

        Raises:
            BadImage: The file is damaged.
        """
        try:
            if side:
                self._image.draft("RGB", (side, side))
            self._image.load()
        except MemoryError:  # The image may be fine.
            raise
        except _ERRORS:
            raise damaged(self.format) from None
        if self._unchecked and not has_all_rows(self._unchecked):
            raise damaged(self.format)
        self._unchecked = None

    def levels(self, side: int | None = None) -> np.ndarray:
        """Decodes the image: [height, width, 1 to 4], as stored; uint16 if it has more than 8 bits, else uint8.

        Args:
            side: As for `load`.

        Raises:
            BadImage: The file is damaged.
        """
        self.load(side)
        image = with_true_cmyk(_with_palette_of_8_bits(self._image))
        if image.mode.startswith(("I", "F")):
            values = np.asarray(image)[..., np.newaxis]
            # Pillow scales PGM files with more than 8 bits to 16 bits, and keeps these in 32.
            levels = as_16_bits(values if image.mode != "I" else np.clip(values, 0, LARGEST).astype(np.uint16))
            if self.format != "PNG" or "transparency" not in image.info:
                return levels
            return np.dstack([levels, np.where(levels == image.info["transparency"], 0, LARGEST).astype(np.uint16)])
        has_alpha = not {"A", "a"}.isdisjoint(image.getbands()) or "transparency" in image.info  # a: premultiplied
        if self.format == "BMP" and has_alpha and image.getextrema()[-1] == (0, 0):
            has_alpha = False  # Some programs write no alpha. Viewers show such a file as opaque.
        if self.format == "TIFF" and not self._alphas:
            has_alpha = False  # To Pillow, any fourth sample of an RGB file is alpha.
        colors = "L" if self.channels == 1 else "RGB"
        levels = np.asarray(image.convert(f"{colors}A" if has_alpha else colors))
        return levels if levels.ndim == 3 else levels[..., np.newaxis]


def _check_strips(image: Image.Image) -> None:
    """Refuses a TIFF file that lists more strips or tiles than it has. Each would take Pillow a pass over the pixels.

    Raises:
        ValueError: There are too many.
    """
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return
    width, height = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)  # as stored; that of the image may be turned
    listed, part = len(tags.get(_STRIPS, ())), (width, tags.get(_ROWS_OF_STRIP, height))
    if not listed:
        listed, part = len(tags.get(_TILES, ())), (tags.get(_TILE_WIDTH, width), tags.get(_TILE_LENGTH, height))
    planes = tags.get(_SAMPLES, 1) if tags.get(_PLANAR, 1) == _SEPARATE else 1
    if listed > math.ceil(width / max(1, part[0])) * math.ceil(height / max(1, part[1])) * planes:
        raise ValueError("too many strips or tiles")


def _with_palette_of_8_bits(image: Image.Image) -> Image.Image:
    """Returns the image, or that of a TIFF file whose palette has numbers of 8 bits. They should have 16.

    Old programs write such files, and libtiff reads them so. To Pillow, all their colors are black.
    """
    colors = getattr(image, "tag_v2", {}).get(_COLOR_MAP, ())
    if image.mode != "P" or not colors or max(colors) > 255:
        return image
    one = len(colors) // 3
    image = image.copy()
    image.putpalette(bytes(colors[channel * one + index] for index in range(one) for channel in range(3)))
    return image


def _scale_transparent_color(image: Image.Image, bits: int) -> None:
    """Scales the one transparent color of a gray or RGB PNG file to the range to which Pillow scales the pixels."""
    color = image.info.get("transparency")
    if image.mode == "L" and bits < 8 and color is not None:
        image.info["transparency"] = color * 255 // (2**bits - 1)
    elif image.mode == "RGB" and bits == 16 and color is not None:
        image.info["transparency"] = tuple(one >> 8 for one in color)


def _orientation(file: bytes, image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns it
    if image.format == "HEIF":
        if _has_turns(file) or not image.info.get("original_orientation"):
            return 1  # libheif turns it by the container's own properties. EXIF counts without them.
        import pillow_heif

        # The plugin has changed EXIF, and also looks in XMP, which browsers do not.
        return exif.orientation(file, pillow_heif.open_heif(file).info.get("exif"))
    return exif.orientation(file, image.info.get("exif"))


def _has_turns(file: bytes) -> bool:
    """Returns whether a HEIF file has properties that turn an image."""
    place = 0
    while place + 8 <= len(file):
        size, kind = struct.unpack_from(">I4s", file, place)
        if kind == b"meta":
            return any(turn in file[place : place + size] for turn in _HEIF_TURNS)
        place += max(size, 8)
    return False


@cache
def _formats() -> tuple[str, ...]:
    """Returns FORMATS, and lets Pillow read all of them."""
    import pillow_heif  # takes a tenth of a second

    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return FORMATS
