"""signature_tensors: the names of a signature's tensors, from a serialized MetaGraphDef.

TensorFlow's classes for such messages cannot be imported without TensorFlow.
"""

from collections.abc import Iterator

_SIGNATURES = 5  # MetaGraphDef.signature_def
_INPUTS, _OUTPUTS = 1, 2  # of SignatureDef
_NAME = 1  # of TensorInfo
_KEY, _VALUE = 1, 2  # of an entry of a map
_VARINT, _BYTES = 0, 2  # wire types
_FIXED = {1: 8, 5: 4}  # bytes by wire type


def signature_tensors(meta_graph: bytes, signature: str) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the names of a signature's input and output tensors, by the names of the inputs and outputs.

    Args:
        meta_graph: A serialized MetaGraphDef, which TensorFlow has written.
        signature: The name of the signature.

    Raises:
        KeyError: There is no such signature.
    """
    found = _entries(meta_graph, _SIGNATURES)[signature]
    return _names(_entries(found, _INPUTS)), _names(_entries(found, _OUTPUTS))


def _names(tensors: dict[str, bytes]) -> dict[str, str]:
    return {key: dict(_fields(tensor)).get(_NAME, b"").decode() for key, tensor in tensors.items()}


def _entries(message: bytes, field: int) -> dict[str, bytes]:
    """The entries of a map."""
    entries = [dict(_fields(content)) for number, content in _fields(message) if number == field]
    return {entry.get(_KEY, b"").decode(): entry.get(_VALUE, b"") for entry in entries}


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message in the wire format of protocol buffers: their numbers and contents."""
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


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, and the place after it."""
    number = shift = 0
    while message[place] & 128:
        number |= (message[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return number | message[place] << shift, place + 1
