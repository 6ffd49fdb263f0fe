"""What is rationed happens as often as takes its share of the time."""

from types import SimpleNamespace

import pytest

from efficientmixnet.modules.training.tensorboard_images import Ration


def test_three_seconds_at_three_percent_are_due_every_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("efficientmixnet.modules.training.ration.time", clock)
    ration, happened = Ration(0.03), []
    for epoch in range(1, 26):
        clock.now += 10  # seconds
        if ration.is_due:
            happened.append(epoch)
            with ration:
                clock.now += 3
    assert happened == [1, 11, 21]
