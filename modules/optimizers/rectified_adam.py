"""RectifiedAdam: Adam with a rectified variance (RAdam)."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="efficientmixnet")
class RectifiedAdam(keras.optimizers.Optimizer):
    """Adam with a rectified variance (RAdam).

        m_t = β₁ m_{t-1} + (1 - β₁) g_t                      v_t = β₂ v_{t-1} + (1 - β₂) g_t²
        ρ_∞ = 2 / (1 - β₂) - 1                               ρ_t = ρ_∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)
        r_t = √( (ρ_t - 4) (ρ_t - 2) ρ_∞ / ((ρ_∞ - 4) (ρ_∞ - 2) ρ_t) )

        ρ_t > sma_threshold:  θ_t = θ_{t-1} - η r_t √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m_t / (√v_t + ε)
        otherwise:            θ_t = θ_{t-1} - η / (1 - β₁ᵗ) · m_t        (or no step, without degenerate_to_sgd)

    Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020, https://arxiv.org/abs/1908.03265

    Conventions: ε is added to the uncorrected √v, and the step is rectified if ρ_t is above the threshold. PyTorch's
    RAdam does the same, and Keras's Adam for ε. The authors' code and TFA rectify if ρ_t is equal to the threshold,
    too. TFA adds ε to the bias-corrected √v̂. Weight decay is decoupled, θ ← θ - η λ θ before every step
    (decoupled_weight_decay=True in PyTorch). The authors' code skips it in steps that do nothing.

    Args:
        learning_rate: A number, a LearningRateSchedule or a callable.
        beta_1: The decay of the first moment.
        beta_2: The decay of the second moment.
        epsilon: ε, for numerical stability.
        sma_threshold: The ρ_t above which steps are rectified: 4 in the paper, 5 in most code.
        degenerate_to_sgd: Whether the steps before that use the momentum only, or do nothing.
        total_steps: If not 0, the learning rate rises linearly from 0 over the first `warmup_proportion` of this number
            of updates, and falls linearly to `min_lr` over the rest.
        amsgrad: Whether v is replaced by its maximum so far.
        **options: The other arguments of keras.optimizers.Optimizer.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> model.compile(RectifiedAdam(0.001, weight_decay=0.01), "mse")
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        sma_threshold: float = 5.0,
        degenerate_to_sgd: bool = True,
        total_steps: int = 0,
        warmup_proportion: float = 0.1,
        min_lr: float = 0.0,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str = "rectified_adam",
        **options: Any,
    ) -> None:
        for argument, beta in {"beta_1": beta_1, "beta_2": beta_2}.items():
            if not 0 <= beta < 1:
                raise ValueError(f"RectifiedAdam: {argument} must be in [0, 1), not {beta}.")
        if sma_threshold < 4:
            raise ValueError(f"RectifiedAdam: sma_threshold must be 4 or more, not {sma_threshold}.")
        if total_steps < 0 or not 0 <= warmup_proportion <= 1:
            raise ValueError(
                "RectifiedAdam: total_steps must not be negative and warmup_proportion must be in [0, 1], "
                f"not {total_steps} and {warmup_proportion}."
            )
        super().__init__(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **options,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.sma_threshold = sma_threshold
        self.degenerate_to_sgd = degenerate_to_sgd
        self.total_steps = total_steps
        self.warmup_proportion = warmup_proportion
        self.min_lr = min_lr
        self.amsgrad = amsgrad

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def _get_current_learning_rate(self) -> Any:
        rate = super()._get_current_learning_rate()
        if not self.total_steps:
            return rate
        warmup_steps = self.total_steps * self.warmup_proportion
        decay_steps = max(self.total_steps - warmup_steps, 1.0)
        t = self._step()
        rate = ops.cast(rate, t.dtype)
        rising = rate * t / max(warmup_steps, 1.0)
        falling = rate + (self.min_lr - rate) * ops.minimum(t - warmup_steps, decay_steps) / decay_steps
        return ops.where(t <= warmup_steps, rising, falling)

    def _step(self) -> Any:
        return ops.cast(self.iterations + 1, keras.config.floatx())

    def _backend_update_step(self, grads: list, trainable_variables: list, learning_rate: Any) -> None:
        # The factors are the same for all variables, so they are computed once per step.
        super()._backend_update_step(grads, trainable_variables, self._factors(learning_rate))

    def _factors(self, learning_rate: Any) -> tuple[Any, Any]:
        """Returns the factors of m / (√v + ε) and of m in this step. One of them is 0."""
        t = self._step()
        momentum_factor = ops.cast(learning_rate, t.dtype) / one_minus_power(self.beta_1, t)  # η / (1 - β₁ᵗ)
        rho_inf = 2 / (1 - self.beta_2) - 1
        if rho_inf <= self.sma_threshold:  # ρ_t never reaches ρ_∞
            return ops.zeros_like(momentum_factor), momentum_factor * float(self.degenerate_to_sgd)
        rho = average_length(self.beta_2, t)
        rectified = rho > self.sma_threshold
        rho = ops.where(rectified, rho, rho_inf)  # keeps the root real where it is not used
        # r_t² = (ρ_t - 4) (ρ_t - 2) ρ_∞ / ((ρ_∞ - 4) (ρ_∞ - 2) ρ_t), divided in pairs so that nothing overflows
        r = ops.sqrt((rho - 4) / (rho_inf - 4) * ((rho - 2) / (rho_inf - 2)) * (rho_inf / rho))
        adaptive_factor = momentum_factor * r * ops.sqrt(one_minus_power(self.beta_2, t))
        return (
            ops.where(rectified, adaptive_factor, 0.0),
            ops.where(rectified, 0.0, momentum_factor * float(self.degenerate_to_sgd)),
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: tuple[Any, Any]) -> None:
        adaptive_factor, momentum_factor = (ops.cast(factor, variable.dtype) for factor in learning_rate)
        gradient = ops.cast(gradient, variable.dtype)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]

        # m ← m + (1 - β₁) (g - m),  v ← v + (1 - β₂) (g² - v)
        self.assign_add(m, ops.multiply(ops.subtract(gradient, m), 1 - self.beta_1))
        self.assign_add(v, ops.multiply(ops.subtract(ops.square(gradient), v), 1 - self.beta_2))
        if self.amsgrad:
            v_hat = self._velocity_hats[index]
            self.assign(v_hat, ops.maximum(v_hat, v))
            v = v_hat
        # θ ← θ - m (a / (√v + ε) + b)
        step = ops.add(ops.divide(adaptive_factor, ops.add(ops.sqrt(v), self.epsilon)), momentum_factor)
        self.assign_sub(variable, ops.multiply(m, step))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "sma_threshold": self.sma_threshold,
            "degenerate_to_sgd": self.degenerate_to_sgd,
            "total_steps": self.total_steps,
            "warmup_proportion": self.warmup_proportion,
            "min_lr": self.min_lr,
            "amsgrad": self.amsgrad,
        }


def one_minus_power(beta: float, t: Any) -> Any:
    """Returns 1 - βᵗ without cancellation: -expm1(t ln β)."""
    return -ops.expm1(t * math.log(beta)) if beta else ops.ones_like(t)


def average_length(beta: float, t: Any) -> Any:
    """Returns ρ_t = ρ_∞ - 2 t βᵗ / (1 - βᵗ) to full precision.

    Both terms are near 2 / (1 - β) in the first steps, when their difference matters most. In float32 the difference
    would keep four digits for β = .999. With y = -ln(β) / 2, ρ_∞ = coth(y) and 2 βᵗ / (1 - βᵗ) = coth(ty) - 1. The
    poles 1 / y cancel. The rest of coth is L(y) = coth(y) - 1 / y = y / 3 - y³ / 45 + ...:

        ρ_t = t - t L(ty) + L(y).
    """
    y = -math.log(beta) / 2
    rho_inf = 1 / math.tanh(y)
    ty = t * y
    square = ops.square(ops.minimum(ty, 0.5))
    # L(ty) / (ty), to 1e-7 where ty < 1/2
    series = 1 / 3 - square * (1 / 45 - square * (2 / 945 - square * (1 / 4725 - square * 2 / 93555)))
    return ops.where(ty < 0.5, t - t * ty * series + (rho_inf - 1 / y), rho_inf - 2 * t / ops.expm1(2 * ty))
