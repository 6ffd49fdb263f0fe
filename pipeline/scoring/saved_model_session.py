"""SavedModelSession: calls a SavedModel through TensorFlow's C library, in a quarter of the processor time.

Most of the time of one prediction is spent in TensorFlow's Python package: its imports, and the functions that it makes
of the graph. The C library (tensorflow/c/c_api.h) needs neither. It is a part of the package.
"""

import ctypes
import os
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from efficientmixnet.pipeline.scoring.input_type import input_type
from efficientmixnet.pipeline.scoring.signature_tensors import signature_tensors

_LIBRARY = "libtensorflow_cc.so.2"
_FLOAT, _STRING = 1, 7  # TF_DataType
_STRING_BYTES = 24  # of a TF_TString
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED = 3, 8
# A ConfigProto: graph_options {optimizer_options {do_function_inlining: true opt_level: L0}
#                               rewrite_options {disable_meta_optimizer: true}}
# Optimizing the graph takes seconds. A function that is not inlined would be optimized all the same.
_CONFIG = bytes.fromhex("5214 1a0d 2001 18ffffffffffffffffff01 5203 980101")
# The functions that return a pointer.
_POINTERS = (
    *("NewStatus", "NewGraph", "NewSessionOptions", "LoadSessionFromSavedModel"),
    *("GraphOperationByName", "AllocateTensor", "TensorData"),
)


class InvalidImage(ValueError):
    """An input that the model cannot use, such as a corrupt image."""


class _Buffer(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("length", c_size_t), ("free", c_void_p))


class _Output(ctypes.Structure):
    _fields_ = (("operation", c_void_p), ("index", c_int))


class SavedModelSession:
    """One output of one signature of a SavedModel. It stays in memory until the process ends.

    Args:
        folder: The SavedModel.
        signature: A signature with one input, of strings.
        output: An output of floats, [batch, values].

    Raises:
        RuntimeError: The library does not load the model.
        LookupError: The model has no such signature or output.
        OSError: There is no such library.
    """

    def __init__(self, folder: Path, signature: str, output: str) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # The library prints messages when it is loaded.
        self._library = _library()
        self._status = c_void_p(self._library.TF_NewStatus())
        self._graph = c_void_p(self._library.TF_NewGraph())
        self._session, self._description = self._load(folder)
        inputs, outputs = signature_tensors(self._description, signature)
        (name,) = inputs.values()
        self._input, self._output = self._tensor(name), self._tensor(outputs[output])

    def __call__(self, values: Sequence[bytes]) -> np.ndarray:
        """Returns the output for a batch, float32 [batch, values].

        Raises:
            InvalidImage: The model cannot use a value.
            MemoryError: Memory is full.
        """
        given, found = self._strings(values), c_void_p()
        feed = (byref(self._input), byref(given), 1)
        fetch = (byref(self._output), byref(found), 1)
        try:
            self._library.TF_SessionRun(self._session, None, *feed, *fetch, None, 0, None, self._status)
            self._check()
        finally:
            self._library.TF_DeleteTensor(given)
        try:
            if self._library.TF_TensorType(found) != _FLOAT:
                raise RuntimeError("the output is not of floats")
            shape = [self._library.TF_Dim(found, axis) for axis in range(self._library.TF_NumDims(found))]
            floats = ctypes.cast(self._library.TF_TensorData(found), POINTER(ctypes.c_float))
            return np.ctypeslib.as_array(floats, shape).copy()
        finally:
            self._library.TF_DeleteTensor(found)

    def input_type(self, function: str) -> int | None:
        """Returns the type of the first input of another function, or None if the model has no such function."""
        return input_type(self._description, function)

    def _load(self, folder: Path) -> tuple[c_void_p, bytes]:
        """The session, and the serialized MetaGraphDef."""
        library, options = self._library, c_void_p(self._library.TF_NewSessionOptions())
        library.TF_SetConfig(options, _CONFIG, c_size_t(len(_CONFIG)), self._status)
        self._check()
        tags = (c_char_p * 1)(b"serve")
        buffer = library.TF_NewBuffer()
        try:
            session = library.TF_LoadSessionFromSavedModel(
                options, None, os.fsencode(folder), tags, 1, self._graph, buffer, self._status
            )
            self._check()
            return c_void_p(session), ctypes.string_at(buffer.contents.data, buffer.contents.length)
        finally:
            library.TF_DeleteBuffer(buffer)
            library.TF_DeleteSessionOptions(options)

    def _tensor(self, name: str) -> _Output:
        name, _, index = name.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        if operation is None:  # The library would follow the null pointer.
            raise LookupError(f"the graph has no operation {name}")
        return _Output(operation, int(index))

    def _strings(self, values: Sequence[bytes]) -> c_void_p:
        """A tensor of strings, which are not copied."""
        tensor = c_void_p(
            self._library.TF_AllocateTensor(
                _STRING, (c_int64 * 1)(len(values)), 1, c_size_t(_STRING_BYTES * len(values))
            )
        )
        first = self._library.TF_TensorData(tensor)
        for place, value in enumerate(values):
            string = c_void_p(first + _STRING_BYTES * place)
            self._library.TF_StringInit(string)
            self._library.TF_StringAssignView(string, value, c_size_t(len(value)))
        return tensor

    def _check(self) -> None:
        """Raises the error of the last call, if there is one."""
        if code := self._library.TF_GetCode(self._status):
            message = self._library.TF_Message(self._status).decode(errors="replace")
            raise {_INVALID_ARGUMENT: InvalidImage, _RESOURCE_EXHAUSTED: MemoryError}.get(code, RuntimeError)(message)


def _library() -> ctypes.CDLL:
    package = find_spec("tensorflow")  # does not import it
    if package is None or not package.submodule_search_locations:
        raise OSError("TensorFlow is not installed")
    library = ctypes.CDLL(str(Path(package.submodule_search_locations[0], _LIBRARY)))
    for name in _POINTERS:
        getattr(library, f"TF_{name}").restype = c_void_p
    library.TF_NewBuffer.restype = POINTER(_Buffer)
    library.TF_Message.restype = c_char_p
    library.TF_Dim.restype = c_int64
    return library
