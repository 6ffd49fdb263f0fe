"""The gate's verdict on a model, which the Evaluator writes next to its metrics."""

import dataclasses
import json
from dataclasses import dataclass

from efficientmixnet.modules.files.stored_file import damage_named, made_again, read_json
from efficientmixnet.modules.files.whole_file import write_text

VERDICT_FILE = "verdict.json"
TEST_FOLDER = "test"  # with TFMA's metrics on the test split


@dataclass(frozen=True)
class Verdict:
    """Whether a model is blessed, and why.

    Args:
        blessed: Whether the model is blessed.
        reason: The limits that the model misses, or those that it keeps.
        metrics: The candidate's metrics over all images.
        baseline_metrics: The baseline model's metrics over all images; empty without one.
        intervals: The low and high end of TFMA's 95 % intervals, where the configuration asks for them.
        weight: The feature that images are weighted by; empty for none.
        test_metrics: The candidate's metrics on the test split; empty without one. The gate does not use them.
        test_intervals: As `intervals`, on the test split.
    """

    blessed: bool
    reason: str
    metrics: dict[str, float]
    baseline_metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    weight: str = ""
    test_metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    test_intervals: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)

    def write(self, uri: str) -> None:
        """Writes the verdict to the folder `uri`."""
        write_text(f"{uri}/{VERDICT_FILE}", json.dumps(dataclasses.asdict(self), indent=2))


def read_verdict(uri: str) -> Verdict:
    """Returns the verdict in the folder `uri`.

    Raises:
        BadInput: The file is damaged.
    """
    file = f"{uri}/{VERDICT_FILE}"
    with damage_named(file, made_again(uri)):
        return Verdict(**read_json(file, made_again(uri)))
