"""Progress reaches the listener, and nobody else."""

import pytest

from efficientmixnet.modules import progress


class _Ear:
    def __init__(self) -> None:
        self.heard: list[tuple] = []

    def start(self, total: int, unit: str) -> None:
        self.heard.append(("start", total, unit))

    def advance(self, count: int, figures: progress.Figures) -> None:
        self.heard.append(("advance", count, figures))


@pytest.fixture
def ear() -> _Ear:
    return _Ear()


def test_a_listener_hears_what_is_told_until_it_is_taken_off(ear: _Ear) -> None:
    progress.listen(ear)
    try:
        progress.start(3, "images")
        progress.advance()
        progress.advance(2, {"loss": 0.5})
    finally:
        progress.listen(None)
    progress.advance()
    assert ear.heard == [("start", 3, "images"), ("advance", 1, {}), ("advance", 2, {"loss": 0.5})]


def test_what_is_told_is_printed_where_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    progress.tell("on the CPU")
    assert capsys.readouterr().out == "on the CPU\n"


def test_a_new_listener_takes_the_place_of_the_one_before(ear: _Ear) -> None:
    other = _Ear()
    progress.listen(other)
    progress.listen(ear)
    try:
        progress.start(1, "images")
    finally:
        progress.listen(None)
    assert (other.heard, ear.heard) == ([], [("start", 1, "images")])


def test_figures_are_written_with_their_epoch_and_four_digits() -> None:
    figures = {"trial": 3, "epoch": 2, "epochs": 10, "accuracy": 0.81254, "loss": 0.7}
    assert progress.in_words(figures) == "trial 3, epoch 2/10 accuracy 0.8125 loss 0.7000"
    assert progress.in_words({}) == ""
