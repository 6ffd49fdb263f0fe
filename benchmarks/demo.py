"""The demo from a clean output folder: seconds, accuracy and peak memory, with the machine that ran it.

    python benchmarks/demo.py

The time includes TFX's imports. The peak memory is that of the largest process.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

DEMO = Path(__file__).parents[1] / "pipeline" / "demo.yaml"
COMMAND = Path(sys.executable).with_name("efficientmixnet")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([COMMAND, "digits", f"{folder}/digits"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        began = time.perf_counter()
        subprocess.run(  # noqa: S603
            [COMMAND, "run", DEMO, "--data", f"{folder}/digits", "--output", f"{folder}/runs"], check=True
        )
        seconds = time.perf_counter() - began
        summary = json.loads(Path(folder, "runs", "summary.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"\n{os.cpu_count()} cores, Python {platform.python_version()}, TFX {version('tfx')}")
    print(f"{seconds:.0f} s, accuracy {summary['accuracy']:.4f}, peak memory {peak:.1f} GiB")


if __name__ == "__main__":
    main()
