"""ContinuedEpoch: the metrics of an epoch that was interrupted count from its beginning."""

from typing import Any

import keras

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint


class ContinuedEpoch(keras.callbacks.Callback):
    """Adds to the logs of an epoch that goes on what the checkpoint knows of its first steps.

    Loss and metrics are means over steps that all weigh the same, so the means before and since are enough; the
    variables that Keras sums in lie spread over several workers. It must be the first callback: the logs that it
    changes are those that the others get.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._steps, self._means = checkpoint.steps_done, dict(checkpoint.means)
        self._since = 0  # steps of this epoch that were done here

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._since = batch + 1
        self._add(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._add(logs or {})
        self._steps, self._means = 0, {}

    def _add(self, logs: dict[str, Any]) -> None:
        for name, before in self._means.items():
            logs[name] = (self._steps * before + self._since * logs[name]) / (self._steps + self._since)
