"""Plan: the disk space, time and memory of a run, and the numbers of workers and devices that meet a deadline.

The duration of a component is a constant plus the size of the images divided by its speed. A file of rates holds both
for each component, as measured by benchmarks/data_path.py --rates. Only the second part is divided among workers.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.untrusted_json import parse_json

_RATES = Path(__file__).with_name("rates.json")
_ENTRY_BYTES = 1000  # memory for the name, label and path of an image while ImageExampleGen sorts them
_MOST = 1e15  # images, bytes or seconds
_GPUS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


_Amount = Annotated[float, Field(ge=0, le=1e15)]
_Positive = Annotated[float, Field(gt=0, le=1e15)]


class StageRate(BaseModel):
    """The speed of one component on one machine."""

    fixed_seconds: _Amount
    images_a_second: _Positive
    peak_memory: _Amount = 0  # bytes


class Rates(BaseModel):
    """The measurements of benchmarks/data_path.py on one machine."""

    cores: int
    mean_bytes: _Positive  # of the images that were measured
    ingested_bytes: _Amount  # for each byte of an image
    transformed_mean_bytes: _Amount  # for each image
    training_images_a_second: _Positive = 4.2  # EfficientNet-B0 at 224 pixels
    stages: dict[str, StageRate]

    @classmethod
    def read(cls, file: Path | None) -> "Rates":
        """Returns the rates in the file, or the built-in rates of a machine with two cores.

        Raises:
            BadInput: The file has no rates.
        """
        try:
            return cls.model_validate(parse_json((file or _RATES).read_text(encoding="utf-8")))
        except OSError as error:
            raise BadInput(f"--rates: {file} cannot be read: {error.strerror}") from None
        except ValueError:  # also pydantic's
            raise BadInput(
                f"--rates: {file} has no rates; `python benchmarks/data_path.py --rates {file}` writes them"
            ) from None


@dataclass(frozen=True)
class Row:
    """The needs of one component."""

    component: str
    seconds: float
    disk: float  # bytes written
    memory: float  # peak, bytes


@dataclass(frozen=True)
class Plan:
    """The needs of a run on the machine of the rates, with one device for training."""

    images: int
    mean_bytes: float
    rates: Rates
    training_rate: float  # images per second and device
    epochs: int
    train_fraction: float

    def rows(self) -> list[Row]:
        """Returns the needs of each component, in the order of the pipeline."""
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
        """Returns the duration of all components before Trainer."""
        return sum(self._seconds(name, workers) for name in self.rates.stages)

    def training_seconds(self, devices: int) -> float:
        """Returns the duration of training if the devices share each batch evenly."""
        return self.epochs * self.images * self.train_fraction / (self.training_rate * devices)

    def ways(self, deadline: float) -> Iterator[tuple[int, int, float]]:
        """Yields (devices, fewest workers, total seconds) for each number of devices that meets the deadline."""
        fixed = self.data_seconds(10**12)
        shared = self.data_seconds(1) - fixed
        for devices in _GPUS:
            left = deadline - self.training_seconds(devices) - fixed
            if left > 0:
                workers = max(1, math.ceil(shared / left))
                yield devices, workers, self.data_seconds(workers) + self.training_seconds(devices)

    @property
    def disk(self) -> float:
        """The bytes that the run writes."""
        return sum(row.disk for row in self.rows())

    def _seconds(self, stage: str, workers: int) -> float:
        rate = self.rates.stages[stage]
        work = self.images / rate.images_a_second * self.mean_bytes / self.rates.mean_bytes
        return rate.fixed_seconds + work / workers

    def _memory(self, stage: str) -> float:
        names = self.images * _ENTRY_BYTES if stage == "ImageExampleGen" else 0
        return self.rates.stages[stage].peak_memory + names


def count(text: str) -> int:
    """Parses a number of images, such as 5000, 1.28M or 1B."""
    return round(_scaled(text, {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9}, "1.28M"))


def size(text: str) -> float:
    """Parses a size such as 110KB or 2.5 MB. Returns bytes."""
    return _scaled(text, {"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9}, "110KB")


def duration(text: str) -> float:
    """Parses a duration such as 90m, 24h or 3d. Returns seconds."""
    return _scaled(text, {"s": 1, "m": 60, "h": 3600, "d": 86400}, "24h")


def _scaled(text: str, units: Mapping[str, float], example: str) -> float:
    number = text.strip().rstrip("".join({letter for unit in units for letter in unit}) + " ")
    unit = text.strip().removeprefix(number).strip()
    try:
        value = float(number) * units[unit]
    except (ValueError, KeyError):
        raise BadInput(f"{text!r} cannot be parsed; give a number and a unit, such as {example}") from None
    if not 0 < value <= _MOST:
        raise BadInput(f"{text!r} is not above 0 and at most {_MOST:.0e}; give a value such as {example}")
    return value
