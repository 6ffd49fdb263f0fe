"""register_saved_classes: makes the library's classes known to `keras.models.load_model`, without importing them.

Keras finds a saved class by its registered name. Importing the file of a class registers it. Until then, a stand-in
with the same name imports that file when Keras asks for the class.
"""

import importlib.abc
import sys
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import Any

_PACKAGE = "efficientmixnet"
# The file of each registered class, relative to modules/.
SAVED_CLASSES = {
    "AttentiveNormalization": "layers.attentive_normalization",
    "BatchNormalization": "layers.batch_normalization",
    "DropConnect": "layers.drop_connect",
    "GroupedPointwiseConv2D": "layers.grouped_pointwise_conv2d",
    "InstanceEnhancementBatchNormalization": "layers.instance_enhancement_batch_normalization",
    "Mish": "layers.mish",
    "MixedDepthwiseConv2D": "layers.mixed_depthwise_conv2d",
    "RandomNormal": "layers.initializers",
    "SqueezeExcite": "layers.squeeze_excite",
    "Swish": "layers.swish",
    "VarianceScaling": "layers.initializers",
    "ConvMuon": "optimizers.conv_muon",
    "Grouped": "optimizers.grouped",
    "Lookahead": "optimizers.lookahead",
    "Muon": "optimizers.muon",
    "Ranger": "optimizers.ranger",
    "RectifiedAdam": "optimizers.rectified_adam",
    "Constant": "optimizers.schedules",
    "Cosine": "optimizers.schedules",
    "Exponential": "optimizers.schedules",
    "WarmUp": "optimizers.schedules",
    "ConfusionAccuracy": "training.confusion_accuracy",
}
_OPTIMIZERS = (
    *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ConvMuon", "Ftrl", "Lamb", "Lion", "Muon"),
    *("Nadam", "RMSprop", "RectifiedAdam", "SGD"),
)
AVERAGING = {f"Averaging{name}": "optimizers.growing_average" for name in _OPTIMIZERS}  # made there by name


def register_saved_classes() -> None:
    """Registers the classes now if Keras is imported, or else as soon as it is."""
    if "keras" in sys.modules:
        _add_stand_ins()
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder())


def _add_stand_ins() -> None:
    known = sys.modules["keras"].saving.get_custom_objects()
    for name, file in (SAVED_CLASSES | AVERAGING).items():
        known.setdefault(f"{_PACKAGE}>{name}", _stand_in(name, file))


def _stand_in(name: str, file: str) -> type:
    def from_config(config: dict[str, Any]) -> Any:
        return getattr(import_module(f"{_PACKAGE}.modules.{file}"), name).from_config(config)

    return type(name, (), {"from_config": staticmethod(from_config)})


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Finds Keras as usual, and adds the stand-ins after its import. It stays until Keras is imported.

    Being asked is not enough: `importlib.util.find_spec("keras")` imports nothing.
    """

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != "keras":
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        spec = next((found for one in others if (found := one.find_spec(fullname, path, target))), None)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader, self)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, finder: _KerasFinder) -> None:
        self._loader, self._finder = loader, finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # such as get_filename, for whoever only asks

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader  # as if it had been imported as usual
        self._loader.exec_module(module)
        _add_stand_ins()
        with suppress(ValueError):  # It is gone already.
            sys.meta_path.remove(self._finder)
