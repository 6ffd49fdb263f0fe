"""Ranger: Lookahead around RectifiedAdam."""

from typing import Any

import keras

from efficientmixnet.modules.optimizers.lookahead import Lookahead
from efficientmixnet.modules.optimizers.rectified_adam import RectifiedAdam


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Ranger(Lookahead):
    """Lookahead(RectifiedAdam(learning_rate, ...), sync_period, slow_step_size), with a flat configuration.

    The name is Less Wright's, https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer. His defaults were β₁ = .95
    and ε = 1e-5. Here they are those of RectifiedAdam.

    Args:
        learning_rate: A number, a LearningRateSchedule or a callable.
        sync_period: k of Lookahead.
        slow_step_size: α of Lookahead.
        **rectified_adam: The other arguments of RectifiedAdam.

    Example:
        >>> Ranger(0.001, weight_decay=0.01).sync_period
        6
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        sync_period: int = 6,
        slow_step_size: float = 0.5,
        name: str = "ranger",
        **rectified_adam: Any,
    ) -> None:
        super().__init__(RectifiedAdam(learning_rate, **rectified_adam), sync_period, slow_step_size, name)

    def get_config(self) -> dict[str, Any]:
        return {
            **self.inner_optimizer.get_config(),
            "sync_period": self.sync_period,
            "slow_step_size": self.slow_step_size,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Ranger":
        # Not Lookahead's from_config: this configuration is flat, and the base class reads schedules.
        return super(Lookahead, cls).from_config(dict(config), custom_objects)
