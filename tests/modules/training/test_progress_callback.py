"""TrainingProgress reports images, epochs and metrics."""

from efficientmixnet.modules import progress
from efficientmixnet.modules.training.progress_callback import TrainingProgress


def test_images_epochs_and_metrics_are_reported() -> None:
    calls: list[tuple] = []

    class Listener:
        def start(self, total: int, unit: str) -> None:
            calls.append((total, unit))

        def advance(self, count: int, figures: progress.Figures) -> None:
            calls.append((count, figures))

    progress.listen(Listener())
    try:
        # The training resumes after the first of three epochs, each of two steps of 32 images.
        callback = TrainingProgress(range(1, 3), steps_per_epoch=2, batch_size=32)
        callback.on_train_begin()
        callback.on_epoch_begin(1)
        callback.on_train_batch_end(0, {"loss": 1.23456, "accuracy": 0.5})
        callback.on_train_batch_end(1, {"loss": 1.0, "accuracy": 0.625})
        callback.on_epoch_end(1, {"loss": 1.0, "accuracy": 0.625, "val_loss": 2.0, "learning_rate": 0.001})
        callback.on_epoch_begin(2)
        callback.on_train_batch_end(0, {"loss": 0.5})
    finally:
        progress.listen(None)
    assert calls == [
        (128, "images"),
        (32, {"epoch": 2, "epochs": 3, "loss": 1.23456, "accuracy": 0.5}),
        (32, {"epoch": 2, "epochs": 3, "loss": 1.0, "accuracy": 0.625}),
        (0, {"epoch": 2, "epochs": 3, "loss": 1.0, "accuracy": 0.625, "val_loss": 2.0}),
        (32, {"epoch": 3, "epochs": 3, "loss": 0.5}),
    ]
