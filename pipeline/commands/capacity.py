"""Plan: how much disk, time and memory a run of many images takes, and how many workers and GPUs meet a deadline.

Every component takes some seconds however small the data, and then so many images a second, in proportion to their
bytes; both are measured (benchmarks/data_path.py --rates) and stand in a file. What workers share is divided by them.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from efficientmixnet.modules.exceptions import BadInput

_RATES = Path(__file__).with_name("rates.json")
_ENTRY_BYTES = 1000  # of memory for each image's name, label and place, while ingest sorts them
_GPUS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class StageRate(BaseModel):
    """Of one component on one machine."""

    fixed_seconds: float
    images_a_second: float
    peak_memory: int = 0  # bytes


class Rates(BaseModel):
    """What benchmarks/data_path.py measured on one machine."""

    cores: int
    mean_bytes: int  # of the images that it measured with
    ingested_bytes: float  # per byte of image
    transformed_mean_bytes: int  # per image
    training_images_a_second: float = 4.2  # EfficientNet-B0 at 224 pixels
    stages: dict[str, StageRate]

    @classmethod
    def read(cls, file: Path | None) -> "Rates":
        """From the file, or those of the machine that the project was developed on.

        Raises:
            BadInput: there are none in it.
        """
        try:
            return cls.model_validate(json.loads((file or _RATES).read_text(encoding="utf-8")))
        except OSError as error:
            raise BadInput(f"--rates: {file} cannot be read: {error.strerror}") from None
        except (ValidationError, ValueError):
            raise BadInput(
                f"--rates: {file} holds no rates; benchmarks/data_path.py --rates {file} writes them"
            ) from None


@dataclass(frozen=True)
class Row:
    """What one component takes."""

    component: str
    seconds: float
    disk: float  # bytes that it writes
    memory: float  # bytes, at most


@dataclass(frozen=True)
class Plan:
    """What a run takes on one machine of the rates' kind, with one device for training."""

    images: int
    mean_bytes: float
    rates: Rates
    training_rate: float  # images a second, of one device
    epochs: int
    train_share: float

    def rows(self) -> list[Row]:
        """By component, in order."""
        small = min(1.0, self.mean_bytes / self.rates.mean_bytes)
        disk = {
            "ImageExampleGen": self.images * self.mean_bytes * self.rates.ingested_bytes,
            "Transform": self.images * self.rates.transformed_mean_bytes * small,
        }
        rows = [
            Row(name, self._seconds(name, workers=1), disk.get(name, 0.0), self._memory(name))
            for name in self.rates.stages
        ]
        return [*rows, Row("Trainer", self.training_seconds(1), 0.0, 0.0)]

    def data_seconds(self, workers: int) -> float:
        """Of all components before training."""
        return sum(self._seconds(name, workers) for name in self.rates.stages)

    def training_seconds(self, devices: int) -> float:
        """Of training, where devices share the batches evenly."""
        return self.epochs * self.images * self.train_share / (self.training_rate * devices)

    def ways(self, deadline: float) -> Iterator[tuple[int, int, float]]:
        """For each number of devices that can meet the deadline: devices, fewest workers, seconds altogether."""
        fixed = self.data_seconds(10**12)
        shared = self.data_seconds(1) - fixed
        for devices in _GPUS:
            left = deadline - self.training_seconds(devices) - fixed
            if left > 0:
                workers = max(1, math.ceil(shared / left))
                yield devices, workers, self.data_seconds(workers) + self.training_seconds(devices)

    @property
    def disk(self) -> float:
        """Bytes beside the images themselves."""
        return sum(row.disk for row in self.rows())

    def _seconds(self, stage: str, workers: int) -> float:
        rate = self.rates.stages[stage]
        work = self.images / rate.images_a_second * self.mean_bytes / self.rates.mean_bytes
        return rate.fixed_seconds + work / workers

    def _memory(self, stage: str) -> float:
        names = self.images * _ENTRY_BYTES if stage == "ImageExampleGen" else 0
        return self.rates.stages[stage].peak_memory + names


def count(text: str) -> int:
    """A number of images: 5000, 1.28M, 1B."""
    return round(_scaled(text, {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9}, "1.28M"))


def size(text: str) -> float:
    """Bytes: 110KB, 2.5 MB."""
    return _scaled(text, {"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9}, "110KB")


def duration(text: str) -> float:
    """Seconds: 90m, 24h, 3d."""
    return _scaled(text, {"s": 1, "m": 60, "h": 3600, "d": 86400}, "24h")


def _scaled(text: str, units: Mapping[str, float], example: str) -> float:
    number = text.strip().rstrip("".join({letter for unit in units for letter in unit}) + " ")
    unit = text.strip().removeprefix(number).strip()
    try:
        value = float(number) * units[unit]
    except (ValueError, KeyError):
        raise BadInput(f"{text!r} is not understood; give a number and a unit, such as {example}") from None
    if not (0 < value < math.inf):
        raise BadInput(f"{text!r} is not more than nothing; give such as {example}")
    return value
