"""ContinuedEpoch: a callback that makes the logs of a resumed epoch include its first steps."""

from typing import Any

import keras

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint


class ContinuedEpoch(keras.callbacks.Callback):
    """Adds the checkpoint's means over the first steps of an epoch to the logs of the resumed epoch.

    Loss and metrics are means over steps with equal weights, so the two means are enough. Keras's own sums cannot be
    restored, because they are spread over several workers. This must be the first callback, because the other callbacks
    get the logs that it changes.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._steps, self._means = checkpoint.steps_done, dict(checkpoint.means)
        self._since = 0  # steps of this epoch since the training resumed

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._since = batch + 1
        self._add(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._add(logs or {})
        self._steps, self._means = 0, {}

    def _add(self, logs: dict[str, Any]) -> None:
        for name, before in self._means.items():
            logs[name] = (self._steps * before + self._since * logs[name]) / (self._steps + self._since)
