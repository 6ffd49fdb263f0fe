"""The wire format of protocol buffers, for messages of TensorFlow.

TensorFlow's classes for such messages cannot be imported without TensorFlow.
"""

from collections.abc import Iterator

_KEY, _VALUE = 1, 2  # of an entry of a map
_VARINT, _BYTES = 0, 2  # wire types
_FIXED = {1: 8, 5: 4}  # bytes by wire type


def entries(message: bytes, field: int) -> dict[str, bytes]:
    """Returns the entries of a map."""
    found = [dict(fields(content)) for content in repeated(message, field)]
    return {entry.get(_KEY, b"").decode(): entry.get(_VALUE, b"") for entry in found}


def repeated(message: bytes, field: int) -> Iterator[bytes]:
    """Yields the contents of a repeated field."""
    return (content for number, content in fields(message) if number == field)


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the fields of a message: their numbers and contents."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        if tag & 7 == _VARINT:
            _, end = _varint(message, place)
        elif tag & 7 == _BYTES:
            length, place = _varint(message, place)
            end = place + length
        else:
            end = place + _FIXED[tag & 7]
        yield tag >> 3, message[place:end]
        place = end


def integer(content: bytes) -> int:
    """Returns the number that a field holds. A field that is missing is empty, and means 0."""
    return _varint(content, 0)[0] if content else 0


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, and the place after it."""
    number = shift = 0
    while message[place] & 128:
        number |= (message[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return number | message[place] << shift, place + 1
