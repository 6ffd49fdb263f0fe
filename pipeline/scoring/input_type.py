"""input_type: the type that a function of a SavedModel takes, from a serialized MetaGraphDef."""

from efficientmixnet.pipeline.scoring.wire_format import fields, integer, repeated

UINT8 = 4  # DataType.DT_UINT8

_GRAPH, _OBJECTS = 2, 7  # of MetaGraphDef
_LIBRARY = 2  # of GraphDef
_FUNCTION = 1  # of FunctionDefLibrary
_SIGNATURE = 1  # of FunctionDef
_INPUT = 2  # of OpDef
_TYPE = 3  # of OpDef.ArgDef
_NODE = 1  # of SavedObjectGraph
_CHILD, _TRACED = 1, 8  # of SavedObject: children, bare_concrete_function
_ID, _LOCAL_NAME = 1, 2  # of ObjectReference
_NAME = 1  # of SavedBareConcreteFunction and OpDef


def input_type(meta_graph: bytes, function: str) -> int | None:
    """Returns the type of the first input of a function, a number of DataType.

    Args:
        meta_graph: A serialized MetaGraphDef, which TensorFlow has written.
        function: The name of an attribute of the module that was saved, whose value is a concrete function.

    Returns:
        The type, or None if the module has no such function.
    """
    graph = dict(fields(meta_graph))
    nodes = list(repeated(graph[_OBJECTS], _NODE))
    children = (dict(fields(child)) for child in repeated(nodes[0], _CHILD))  # The first node is the module.
    numbers = {child[_LOCAL_NAME].decode(): integer(child.get(_ID, b"")) for child in children}
    if function not in numbers:
        return None
    name = dict(fields(dict(fields(nodes[numbers[function]]))[_TRACED]))[_NAME]
    for defined in repeated(dict(fields(graph[_GRAPH]))[_LIBRARY], _FUNCTION):
        signature = next(repeated(defined, _SIGNATURE))
        if dict(fields(signature))[_NAME] == name:
            return integer(dict(fields(next(repeated(signature, _INPUT))))[_TYPE])
    return None
