"""Ranger: RectifiedAdam with Lookahead around it.

The equations are those of the two. The name is Less Wright's, https://github.com/lessw2020/Ranger-Deep-Learning-Optimizer,
whose defaults were β₁ = .95 and ε = 1e-5; here they are RectifiedAdam's.
"""

from typing import Any

import keras

from efficientmixnet.modules.optimizers.lookahead import Lookahead
from efficientmixnet.modules.optimizers.rectified_adam import RectifiedAdam


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Ranger(Lookahead):
    """Lookahead(RectifiedAdam(learning_rate, ...), sync_period, slow_step_size).

    Args:
        learning_rate: a float, a LearningRateSchedule or a callable.
        sync_period: Lookahead's k.
        slow_step_size: Lookahead's α.
        **rectified_adam: every argument of RectifiedAdam.
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
        # Not Lookahead's: the configuration is flat, and the base class knows how to read a schedule in it.
        return super(Lookahead, cls).from_config(dict(config), custom_objects)
