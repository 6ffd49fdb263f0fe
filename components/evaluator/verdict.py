"""The gate's verdict on a model, as Evaluator leaves it beside its metrics."""

import dataclasses
import json
from dataclasses import dataclass

import tensorflow as tf

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class Verdict:
    """Whether the model is blessed and why, in words; the metrics are single numbers over all images.

    The intervals are TFMA's, 95 %, low and high, where the configuration asks for them; `weight` is the feature that
    images are weighted by, empty for none.
    """

    blessed: bool
    reason: str
    metrics: dict[str, float]
    baseline_metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    weight: str = ""

    def write(self, uri: str) -> None:
        """Writes it to the evaluation that lies at `uri`."""
        with tf.io.gfile.GFile(f"{uri}/{VERDICT_FILE}", "w") as file:
            file.write(json.dumps(dataclasses.asdict(self), indent=2))


def read_verdict(uri: str) -> Verdict:
    """Reads it from the evaluation that lies at `uri`."""
    with tf.io.gfile.GFile(f"{uri}/{VERDICT_FILE}") as file:
        return Verdict(**json.loads(file.read()))
