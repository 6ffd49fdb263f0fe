"""One run with a budget of time: its accuracy on held-out images, how it kept the budget, and where the time went.

    python benchmarks/budget.py --data cifar10-train.tar.xz --budget 30m

The archive has one folder of JPEG files for each class. A tenth of each class becomes the folder `test`, which training
never sees. No option but the budget is given to the run. Also printed: the floating-point operations per second of this
machine in a product of matrices, those of the training, which counts three multiply-adds for each one of the network,
and the fraction of the budget that training took.
"""

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np

COMMAND = Path(sys.executable).with_name("efficientmixnet")
_SIDE, _PRODUCTS = 2048, 10
_TENTH = 10


def extract(archive: Path, folder: Path) -> None:
    """Writes the images to folder/train/CLASS and folder/test/CLASS."""
    seen: dict[str, int] = {}
    with tarfile.open(archive) as files:
        for member in files:
            if not member.isfile() or not member.name.endswith(".jpg"):
                continue
            label, name = Path(member.name).parts[-2:]
            seen[label] = seen.get(label, 0) + 1
            place = folder / ("train" if seen[label] % _TENTH else "test") / label / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(files.extractfile(member).read())  # type: ignore[union-attr]


def operations_per_second() -> float:
    """Returns the floating-point operations per second of a product of large float32 matrices."""
    matrix = np.random.default_rng(0).normal(size=(_SIDE, _SIDE)).astype("float32")
    matrix @ matrix
    start = time.perf_counter()
    for _ in range(_PRODUCTS):
        matrix @ matrix
    return _PRODUCTS * 2 * _SIDE**3 / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="an archive with one folder of JPEG files per class")
    parser.add_argument("--budget", default="30m")
    given = parser.parse_args()
    limit = operations_per_second()
    with tempfile.TemporaryDirectory() as folder:
        images, output = Path(folder, "images"), Path(folder, "runs")
        extract(given.data, images)
        subprocess.run(  # noqa: S603
            [COMMAND, "run", "--data", images, "--output", output, "--budget", given.budget], check=False
        )
        summary = json.loads((output / "summary.json").read_text())
        (found,) = output.glob("artifacts/Trainer/model/*/Format-Serving/assets.extra/budget.json")
        choice = json.loads(found.read_text())
        trained = sum(1 for _ in images.glob("train/*/*"))
    epochs = choice["config"]["training"]["epochs"]
    chosen = next(one for one in choice["considered"] if one["name"] == choice["name"])
    seconds = summary["seconds"]
    used = seconds["Trainer"]
    spent = 3 * 2 * chosen["multiply_adds"] * trained * epochs
    print(f"\naccuracy {summary['test_accuracy']:.4f} with {chosen['name']}, {epochs} epochs; {choice['why']}")
    print(f"accuracy on the evaluation split {summary['accuracy']:.4f}")
    print(f"Trainer {used:.0f} s with export, for a budget of {given.budget}; seconds of all components: {seconds}")
    print(f"{spent:.2e} floating-point operations, {spent / used / 1e9:.1f} billion a second")
    print(f"a product of matrices: {limit / 1e9:.1f} billion a second")


if __name__ == "__main__":
    main()
