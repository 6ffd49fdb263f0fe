"""signature_tensors: the names of a signature's tensors, from a serialized MetaGraphDef."""

from efficientmixnet.pipeline.scoring.wire_format import entries, fields

_SIGNATURES = 5  # MetaGraphDef.signature_def
_INPUTS, _OUTPUTS = 1, 2  # of SignatureDef
_NAME = 1  # of TensorInfo


def signature_tensors(meta_graph: bytes, signature: str) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the names of a signature's input and output tensors, by the names of the inputs and outputs.

    Args:
        meta_graph: A serialized MetaGraphDef, which TensorFlow has written.
        signature: The name of the signature.

    Raises:
        KeyError: There is no such signature.
    """
    found = entries(meta_graph, _SIGNATURES)[signature]
    return _names(entries(found, _INPUTS)), _names(entries(found, _OUTPUTS))


def _names(tensors: dict[str, bytes]) -> dict[str, str]:
    return {key: dict(fields(tensor)).get(_NAME, b"").decode() for key, tensor in tensors.items()}
