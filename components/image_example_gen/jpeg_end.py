"""has_end: whether a JPEG file has its last marker. TensorFlow does not read a file without it, unlike Pillow."""

_SCAN, _END, _FILL = b"\xda", b"\xff\xd9", b"\xff"
_ALONE = frozenset(bytes([one]) for one in (0x00, 0x01, *range(0xD0, 0xD9)))  # markers without content


def has_end(file: bytes) -> bool:
    """Returns whether the last marker is somewhere behind the header, whose thumbnail may have one too."""
    place = 2
    while (place := file.find(_FILL, place)) >= 0:
        marker = file[place + 1 : place + 2]
        if marker == _SCAN:
            return file.rfind(_END, place) > 0  # Cameras append other data.
        if marker == _FILL:
            place += 1
        else:
            place += 2 + (0 if marker in _ALONE else int.from_bytes(file[place + 2 : place + 4], "big"))
    return False
