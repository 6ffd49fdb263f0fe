"""CIFAR-10 in memory: reads the images, splits them, and makes batches of changed ones."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

SIDE = 32
PAD, ERASED = 4, 8  # pixels
GRAY = 128  # of the erased part


def read_images(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads one folder per class, packed or not. Returns images uint8 [N, 32, 32, 3] and classes int [N]."""
    files: Iterator[tuple[str, bytes]]
    if path.is_dir():
        files = ((file.parent.name, file.read_bytes()) for file in sorted(path.glob("**/*.jpg")))
    else:
        archive = tarfile.open(path)  # noqa: SIM115
        members = (member for member in archive if member.name.endswith(".jpg"))
        files = ((Path(member.name).parent.name, archive.extractfile(member).read()) for member in members)  # type: ignore[union-attr]
    names, images = [], []
    for name, content in files:
        names.append(name)
        images.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
    return np.stack(images), np.unique(names, return_inverse=True)[1]


@dataclass(frozen=True)
class Images:
    """Images uint8 [N, 32, 32, 3] and their classes int [N]."""

    images: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, chosen: np.ndarray) -> "Images":
        return Images(self.images[chosen], self.classes[chosen])

    def __add__(self, other: "Images") -> "Images":
        return Images(np.concatenate([self.images, other.images]), np.concatenate([self.classes, other.classes]))


def split(images: np.ndarray, classes: np.ndarray) -> tuple[Images, Images, Images]:
    """Splits off a tenth of each class for validation, and one for the final measurement. No seed changes the split."""
    order = np.random.default_rng(0).permutation(len(images))
    everything = Images(images, classes)[order[np.argsort(classes[order], kind="stable")]]
    tenth = np.arange(len(order)) % 10
    return everything[tenth > 1], everything[tenth == 1], everything[tenth == 0]


def draw_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Returns the order of the images in an epoch, int [count]."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def draw_changes(batch: int, seed: int, epoch: int, index: int) -> np.ndarray:
    """Returns how the images of a batch are changed, int [5, batch].

    The rows are the shifts down and right, whether an image is mirrored, and the top and left of its erased part.
    """
    draw = np.random.default_rng([seed, epoch, index])
    shifts = draw.integers(0, 2 * PAD + 1, (2, batch))
    mirrored = draw.random(batch) < 0.5
    corners = draw.integers(0, SIDE - ERASED + 1, (2, batch))
    return np.concatenate([shifts, mirrored[None], corners])


class Batches(keras.utils.PyDataset):
    """Batches of shifted, flipped and partly erased images. The seed and the epoch determine them."""

    def __init__(self, images: np.ndarray, classes: np.ndarray, batch: int, seed: int) -> None:
        super().__init__()
        edges = ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0))
        padded = np.pad(images, edges, mode="reflect")
        self.windows = sliding_window_view(sliding_window_view(padded, SIDE, 1), SIDE, 2)  # [N, 9, 9, 3, 32, 32]
        self.classes, self.batch, self.seed = classes, batch, seed
        self.epoch = -1
        self.on_epoch_begin()

    def __len__(self) -> int:
        return len(self.classes) // self.batch

    def on_epoch_begin(self) -> None:
        self.epoch += 1
        self.order = draw_order(len(self.classes), self.seed, self.epoch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        down, right, mirrored, top, left = draw_changes(self.batch, self.seed, self.epoch, index)
        images = self.windows[chosen, down, right].transpose(0, 2, 3, 1)  # [B, 32, 32, 3]
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        rows, columns = (
            (np.arange(SIDE) >= at[:, None]) & (np.arange(SIDE) < at[:, None] + ERASED) for at in (top, left)
        )
        images[rows[:, :, None] & columns[:, None, :]] = GRAY
        return images, np.eye(10, dtype="float32")[self.classes[chosen]]
