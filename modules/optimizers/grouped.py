"""Grouped: several optimizers as one, each for its own weights, so that layers learn at different rates."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Grouped(keras.optimizers.Optimizer):
    """Several Keras optimizers, each for its own weights. Averages are per optimizer.

    Args:
        optimizers: The optimizers. The learning rate and step count are those of the last one.
        groups: Maps the path of a weight to the index of its optimizer. The last optimizer takes all other weights.
        global_clipnorm: The largest norm of all gradients together. An optimizer's own one is that of its weights only.

    Example:
        >>> optimizer = Grouped([keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.01)], {"dense/kernel": 0})
    """

    def __init__(
        self,
        optimizers: Sequence[Any],
        groups: Mapping[str, int],
        global_clipnorm: float | None = None,
        name: str = "grouped",
    ) -> None:
        super().__init__(learning_rate=0.0, global_clipnorm=global_clipnorm, name=name)
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
        grads = self._clipped(grads)
        for optimizer, members in zip(self.optimizers, self._split(grads, trainable_variables), strict=True):
            if members:
                optimizer.apply(*map(list, zip(*members, strict=True)))

    def _clipped(self, grads: list) -> list:
        if self.global_clipnorm is None:
            return grads
        most = self.global_clipnorm * (self.loss_scale_factor or 1.0)  # The optimizers undo the scale of the loss.
        norm = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in grads if gradient is not None))
        factor = most / ops.maximum(norm, most)
        return [None if gradient is None else gradient * factor for gradient in grads]

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
        return {
            "name": self.name,
            "optimizers": optimizers,
            "groups": self.groups,
            "global_clipnorm": self.global_clipnorm,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Grouped":
        optimizers = [keras.saving.deserialize_keras_object(one, custom_objects) for one in config["optimizers"]]
        return cls(**{**config, "optimizers": optimizers})
