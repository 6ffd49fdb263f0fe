"""The peak memory and the processor time of each component's pod, measured in a rehearsal of the demo.

    python benchmarks/component_resources.py [CONFIG] [--set KEY=VALUE]

With CONFIG, it measures that configuration instead of the demo. Memory is the sum over a task's processes of what each
has in memory, so pages that they share count more than once.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

DEMO = Path(__file__).parents[1] / "pipeline" / "demo.yaml"
COMMAND = Path(sys.executable).with_name("efficientmixnet")
PAUSE = 0.2  # seconds between two samples
REFUSED = 3  # the exit code if the model was not blessed


@dataclass
class Use:
    """What the processes of one task have used."""

    memory: int = 0  # bytes, at most
    processor: float = 0.0  # seconds
    seconds: float = 0.0

    def sample(self, process: psutil.Process) -> None:
        processes = [process, *process.children(recursive=True)]
        self.memory = max(self.memory, sum(one.memory_info().rss for one in processes))
        times = [one.cpu_times() for one in processes]
        # Ended children are in their parent's times.
        ended = times[0].children_user + times[0].children_system
        self.processor = max(self.processor, ended + sum(one.user + one.system for one in times))
        self.seconds = time.time() - process.create_time()


def follow(folder: Path, used: dict[str, Use], ended: threading.Event) -> None:
    """Samples each task of the rehearsal in this folder until it ends."""
    while not ended.wait(PAUSE):
        for file in folder.glob("runs/*/*/pid"):
            try:
                process = psutil.Process(int(file.read_text()))
                if process.create_time() <= file.stat().st_mtime:  # Later, another process can have this number.
                    used.setdefault(file.parent.name.rpartition("-")[0], Use()).sample(process)
            except (psutil.Error, ValueError):  # The process has ended, or its number is not yet written.
                continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default=DEMO, type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    used: dict[str, Use] = {}
    ended = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        package, output = f"{folder}/pipeline.yaml", Path(folder, "rehearsal")
        options = [word for one in given.set for word in ("--set", one)]
        options += ["--image", "local/efficientmixnet", "--pipeline-root", "minio://mlpipeline/efficientmixnet"]
        if given.config == DEMO:
            subprocess.run([COMMAND, "digits", f"{folder}/digits"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            options += ["--set", f"data.images={folder}/digits"]
        subprocess.run([COMMAND, "kubeflow", "compile", given.config, "-o", package, *options], check=True)  # noqa: S603
        follower = threading.Thread(target=follow, args=(output, used, ended))
        follower.start()
        try:
            done = subprocess.run([COMMAND, "kubeflow", "rehearse", package, "--output", output], check=False)  # noqa: S603
        finally:
            ended.set()
            follower.join()
            show(used)
    if done.returncode not in (0, REFUSED):
        sys.exit(done.returncode)


def show(used: dict[str, Use]) -> None:
    print(f"\n{'component':<17} {'memory':>9} {'processor':>10} {'time':>8} {'CPUs':>6}")
    for name, use in used.items():
        cores = use.processor / max(use.seconds, 0.1)
        print(f"{name:<17} {use.memory / 1e9:6.2f} GB {use.processor:8.1f} s {use.seconds:6.1f} s {cores:6.2f}")


if __name__ == "__main__":
    main()
