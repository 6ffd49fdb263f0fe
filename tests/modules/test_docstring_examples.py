"""The examples in the docstrings of the network library print what they say."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import keras
import numpy as np
import pytest

from efficientmixnet.modules import layers, network, optimizers

MODULES = [
    importlib.import_module(found.name)
    for package in (layers, network, optimizers)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]
EXAMPLES = [
    (example.name, example, module)
    for module in MODULES
    for example in doctest.DocTestFinder(exclude_empty=True).find(module)
    if example.examples
]


def test_public_classes_have_examples() -> None:
    names = {name.rpartition(".")[2] for name, *_ in EXAMPLES}
    assert {*layers.__all__, *optimizers.__all__} - names <= {"convolution_initializer", "dense_initializer"}


@pytest.mark.parametrize(
    ("name", "example", "module"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_example_prints_what_it_says(name: str, example: doctest.DocTest, module: ModuleType) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    example.globs = {**vars(module), "keras": keras, "np": np, "model": model}
    failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert not failed
