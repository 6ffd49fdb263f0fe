"""Grouped: several optimizers as one, each for its own weights, so that layers learn at different rates."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Grouped(keras.optimizers.Optimizer):
    """Several Keras optimizers, each for its own weights. Clipping by norm and averages are per optimizer.

    Args:
        optimizers: The optimizers. The learning rate and step count are those of the last one.
        groups: Maps the path of a weight to the index of its optimizer. The last optimizer takes all other weights.

    Example:
        >>> optimizer = Grouped([keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.01)], {"dense/kernel": 0})
    """

    def __init__(self, optimizers: Sequence[Any], groups: Mapping[str, int], name: str = "grouped") -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.optimizers = [keras.optimizers.get(optimizer) for optimizer in optimizers]
        self.groups = dict(groups)

    def build(self, variables: list) -> None:
        if self.built:
            return
        for optimizer, members in zip(self.optimizers, self._split(variables, variables), strict=True):
            optimizer.build([variable for _, variable in members])
        super().build(variables)

    def _split(self, values: Sequence[Any], variables: Sequence[Any]) -> list[list[tuple[Any, Any]]]:
        """Returns the pairs of value and variable of each optimizer."""
        members: list[list[tuple[Any, Any]]] = [[] for _ in self.optimizers]
        for value, variable in zip(values, variables, strict=True):
            members[self.groups.get(variable.path, len(members) - 1)].append((value, variable))
        return members

    @property
    def variables(self) -> list:
        return self._variables + [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.optimizers[-1].iterations

    @property
    def learning_rate(self) -> Any:
        return self.optimizers[-1].learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.optimizers[-1].learning_rate = learning_rate

    # A LossScaleOptimizer turns off the loss scale of the optimizer that it wraps.
    @property
    def loss_scale_factor(self) -> float | None:
        return self.optimizers[-1].loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        for optimizer in getattr(self, "optimizers", []):
            optimizer.loss_scale_factor = factor

    def scale_loss(self, loss: Any) -> Any:
        return self.optimizers[-1].scale_loss(loss)

    def exclude_from_weight_decay(self, var_list: list | None = None, var_names: list[str] | None = None) -> None:
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
        if not self.built:
            with keras.name_scope(self.name):
                self.build(list(trainable_variables))
        for optimizer, members in zip(self.optimizers, self._split(grads, trainable_variables), strict=True):
            if members:
                optimizer.apply(*map(list, zip(*members, strict=True)))

    def finalize_variable_values(self, var_list: list) -> None:
        for optimizer, members in zip(self.optimizers, self._split(var_list, var_list), strict=True):
            optimizer.finalize_variable_values([variable for _, variable in members])

    def set_weights(self, weights: list) -> None:
        start = len(self._variables)
        super().set_weights(weights[:start])
        for optimizer in self.optimizers:
            end = start + len(optimizer.variables)
            optimizer.set_weights(weights[start:end])
            start = end

    def get_config(self) -> dict[str, Any]:
        optimizers = [keras.saving.serialize_keras_object(optimizer) for optimizer in self.optimizers]
        return {"name": self.name, "optimizers": optimizers, "groups": self.groups}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Grouped":
        optimizers = [keras.saving.deserialize_keras_object(one, custom_objects) for one in config["optimizers"]]
        return cls(**{**config, "optimizers": optimizers})
