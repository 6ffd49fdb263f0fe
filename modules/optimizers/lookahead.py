"""Lookahead: k steps forward with any optimizer, one step back.

every step:      θ ← inner optimizer's step
every k steps:   φ ← φ + α (θ - φ),  θ ← φ          φ: slow weights, θ: fast weights, those of the model
"""

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Lookahead(keras.optimizers.Optimizer):
    """Lookahead around a Keras optimizer.

        every step:      θ ← inner optimizer's step
        every k steps:   φ ← φ + α (θ - φ),  θ ← φ          φ: slow weights, θ: fast weights, those of the model

    The slow weights start as the weights at the first step, and again at the first step after a `fit`, so that weights
    which are set in between count. If an exception ends a `fit`, they do not start again: then compile the model with
    a new optimizer before you set its weights. Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back",
    NeurIPS 2019, https://arxiv.org/abs/1907.08610

    Learning rate, clipping, weight decay, averaging and gradient accumulation belong to the inner optimizer. The period
    counts its updates, so accumulated steps count once. After training (`finalize_variable_values`) the model has the
    slow weights, or the average if the inner optimizer keeps one (`use_ema`). A LossScaleOptimizer must wrap this
    optimizer, as Keras does for mixed_float16.

    Args:
        optimizer: A Keras optimizer, its configuration from Keras, or a name or mapping as `build_optimizer` takes it,
            such as "radam", with the default learning rate of its class.
        sync_period: k, the number of updates between two synchronizations.
        slow_step_size: α, in (0, 1].

    Raises:
        ValueError: An argument is out of range, or the inner optimizer is a LossScaleOptimizer.

    Example:
        >>> Lookahead(keras.optimizers.Adam(0.001), sync_period=5).sync_period
        5
    """

    def __init__(
        self,
        optimizer: Any,
        sync_period: int = 6,
        slow_step_size: float = 0.5,
        name: str = "lookahead",
    ) -> None:
        if not isinstance(sync_period, int) or sync_period < 1:
            raise ValueError(f"Lookahead: sync_period must be a whole number of 1 or more, not {sync_period!r}.")
        if not 0 < slow_step_size <= 1:
            raise ValueError(f"Lookahead: slow_step_size must be in (0, 1], not {slow_step_size}.")
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise ValueError("Lookahead: LossScaleOptimizer goes around it: LossScaleOptimizer(Lookahead(optimizer)).")
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = _get(optimizer)
        self.sync_period = sync_period
        self.slow_step_size = slow_step_size

    def build(self, variables: list) -> None:
        if self.built:
            return
        self.inner_optimizer.build(variables)
        super().build(variables)
        with _outside_of_graphs():
            self._slow_weights = [
                None
                if self._overwrite_variable_with_gradient(variable)
                else self.add_variable_from_reference(variable, "slow", initializer=_copy_of(variable))
                for variable in variables
            ]

    @property
    def variables(self) -> list:
        return self._variables + self.inner_optimizer.variables

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    # LossScaleOptimizer turns off the loss scale of what it wraps. This passes it on to the inner optimizer.
    @property
    def loss_scale_factor(self) -> float | None:
        return self.inner_optimizer.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        if hasattr(self, "inner_optimizer"):
            self.inner_optimizer.loss_scale_factor = factor

    def scale_loss(self, loss: Any) -> Any:
        return self.inner_optimizer.scale_loss(loss)

    def exclude_from_weight_decay(self, var_list: list | None = None, var_names: list[str] | None = None) -> None:
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        if len(grads) == 0:
            return
        if not self.built:
            if trainable_variables is None:
                raise ValueError("Lookahead: apply() without variables needs build(trainable_variables) before it.")
            with keras.name_scope(self.name):
                self.build(list(trainable_variables))
        # Keras also gives this outer optimizer a counter. It counts the steps since the slow weights started.
        self._synchronize(ops.equal(self._iterations, 0), 1.0)
        self._iterations.assign_add(1)
        self.inner_optimizer.apply(grads, trainable_variables)
        self._synchronize(ops.equal(self.iterations % self.sync_period, 0), self.slow_step_size)

    def _synchronize(self, due: Any, step_size: float) -> None:
        """If due, moves the slow weights by `step_size` toward the fast weights, and sets the fast weights to them."""
        pairs = [
            (slow, fast)
            for slow, fast in zip(self._slow_weights, self._trainable_variables, strict=True)
            if slow is not None
        ]

        def meet(slow: Any, fast: Any) -> Any:
            # φ + α (θ - φ), written so that it is θ to the last bit where α = 1 or φ = θ. After a training that
            # diverged, φ is not finite, and even 0 (φ - θ) is nan.
            return fast if step_size == 1 else fast + (1 - step_size) * (slow - fast)

        if keras.backend.backend() == "tensorflow":
            self._synchronize_replicas(due, pairs, meet)
            return
        for slow, fast in pairs:
            # A select, which the compiler fuses with the update. A branch would make a GPU wait for `due`.
            phi, theta = ops.convert_to_tensor(slow), ops.convert_to_tensor(fast)
            met = meet(phi, theta)
            slow.assign(ops.where(due, met, phi))
            fast.assign(ops.where(due, met, theta))

    def _synchronize_replicas(self, due: Any, pairs: list, meet: Any) -> None:
        """Does the same under tf.distribute: one branch for all weights, in which each replica assigns its copies."""
        import tensorflow as tf

        def assign(slow: Any, fast: Any) -> None:
            fast.assign(slow.assign(meet(slow, fast)))

        def assign_everywhere(strategy: Any, due: Any) -> None:
            def synchronize() -> None:
                for slow, fast in pairs:
                    fast = fast.value if isinstance(fast, keras.Variable) else fast
                    strategy.extended.update(slow.value, assign, args=(fast,), group=False)

            tf.cond(strategy.experimental_local_results(due)[0], synchronize, lambda: None)

        tf.__internal__.distribute.interim.maybe_merge_call(assign_everywhere, self._distribution_strategy, due)

    def _lookaheads(self) -> list["Lookahead"]:  # not a property, whose value Keras would save as a part of this one
        """Returns this one, and those inside it."""
        inner = self.inner_optimizer
        return [self, *(inner._lookaheads() if isinstance(inner, Lookahead) else [])]

    def _updates(self) -> tuple[int, int]:
        """Returns how many updates there were before the slow weights started, and how many there are now."""
        updating = self._lookaheads()[-1].inner_optimizer
        accumulated = updating.gradient_accumulation_steps or 1
        # Keras's `iterations` counts updates. The first one may have gradients from before the slow weights started, so
        # steps that only accumulate count too.
        counter = updating._iterations if accumulated > 1 else updating.iterations
        steps, since = (int(ops.convert_to_numpy(count)) for count in (counter, self._iterations))
        return (steps - since) // accumulated, steps // accumulated

    def finalize_variable_values(self, var_list: list) -> None:
        updating = self._lookaheads()[-1].inner_optimizer
        began, ended = self._updates()
        synchronized = ended // self.sync_period > began // self.sync_period
        if ended > began and not synchronized and not updating.use_ema:
            warnings.warn(
                f"Lookahead: the training ended after {ended - began} steps without a synchronization "
                f"(sync_period={self.sync_period}), so the model has the weights that it started with.",
                stacklevel=2,
            )
        for each in self._lookaheads():
            each._iterations.assign(0)
        for variable in var_list:
            slow = self._slow_weights[self._get_variable_index(variable)]
            if slow is not None:
                variable.assign(ops.copy(slow))
        updating.finalize_variable_values(var_list)

    # `variables` includes those of the inner optimizer, which saves and restores them itself.
    def save_own_variables(self, store: Any) -> None:
        for index, variable in enumerate(self._variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        if len(store.keys()) != len(self._variables):
            super().load_own_variables(store)  # warns that nothing is restored
            return
        for index, variable in enumerate(self._variables):
            variable.assign(store[str(index)])

    def set_weights(self, weights: list) -> None:
        own = len(self._variables)
        super().set_weights(weights[:own])
        self.inner_optimizer.set_weights(weights[own:])

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "optimizer": keras.saving.serialize_keras_object(self.inner_optimizer),
            "sync_period": self.sync_period,
            "slow_step_size": self.slow_step_size,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Lookahead":
        inner = keras.saving.deserialize_keras_object(config["optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer": inner})


def _get(optimizer: Any) -> keras.optimizers.Optimizer:
    from efficientmixnet.modules.optimizers.build import build_optimizer  # which imports this file

    if isinstance(optimizer, str) or (isinstance(optimizer, Mapping) and "name" in optimizer):
        return build_optimizer(optimizer, None)
    return keras.optimizers.get(optimizer)


def _outside_of_graphs() -> AbstractContextManager:
    # Keras may build while TensorFlow traces a step, and XLA cannot create variables from other variables.
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    return tf.init_scope()


def _copy_of(variable: Any) -> Any:
    # A copy, here and at the end: JAX donates buffers, so no two variables may share one.
    return lambda shape, dtype: ops.copy(ops.cast(variable, dtype))
