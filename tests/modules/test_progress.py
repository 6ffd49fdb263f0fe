"""Progress goes to the current listener only."""

import pytest

from efficientmixnet.modules import progress


class _Listener:
    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def start(self, total: int, unit: str) -> None:
        self.calls.append(("start", total, unit))

    def advance(self, count: int, figures: progress.Figures) -> None:
        self.calls.append(("advance", count, figures))


@pytest.fixture
def listener() -> _Listener:
    return _Listener()


def test_a_listener_gets_all_progress_until_it_is_removed(listener: _Listener) -> None:
    progress.listen(listener)
    try:
        progress.start(3, "images")
        progress.advance()
        progress.advance(2, {"loss": 0.5})
    finally:
        progress.listen(None)
    progress.advance()
    assert listener.calls == [("start", 3, "images"), ("advance", 1, {}), ("advance", 2, {"loss": 0.5})]


def test_a_line_is_printed_without_a_listener(capsys: pytest.CaptureFixture[str]) -> None:
    progress.tell("on the CPU")
    assert capsys.readouterr().out == "on the CPU\n"


def test_a_new_listener_replaces_the_old_one(listener: _Listener) -> None:
    other = _Listener()
    progress.listen(other)
    progress.listen(listener)
    try:
        progress.start(1, "images")
    finally:
        progress.listen(None)
    assert (other.calls, listener.calls) == ([], [("start", 1, "images")])


def test_figures_become_text_with_the_epoch_and_four_digits() -> None:
    figures = {"trial": 3, "epoch": 2, "epochs": 10, "accuracy": 0.81254, "loss": 0.7}
    assert progress.as_text(figures) == "trial 3, epoch 2/10 accuracy 0.8125 loss 0.7000"
    assert progress.as_text({}) == ""


def test_a_measurement_shows_nothing(listener: _Listener, capsys: pytest.CaptureFixture[str]) -> None:
    progress.listen(listener)
    try:
        with pytest.raises(ZeroDivisionError), progress.nothing_shown():
            progress.start(3, "images")
            progress.tell("on the CPU")
            raise ZeroDivisionError
        progress.start(4, "images")
    finally:
        progress.listen(None)
    assert (listener.calls, capsys.readouterr().out) == ([("start", 4, "images")], "")
