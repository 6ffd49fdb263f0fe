"""lazy_names: lets a package import each public name on first use (PEP 562)."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from efficientmixnet.modules.failures.missing_package import missing_package


def lazy_names(
    package: str, files: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Returns `__getattr__`, `__dir__` and `__all__` for a package.

    Args:
        package: The package's `__name__`.
        files: Maps each public name to the module that defines it, relative to the package.

    Example:
        >>> __getattr__, __dir__, __all__ = lazy_names(__name__, {"Swish": "swish"})
    """

    def get(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{package}.{files[name]}"), name)
        except ModuleNotFoundError as error:
            raise missing_package(error, pipeline=False) from error

    return get, lambda: sorted(files), list(files)
