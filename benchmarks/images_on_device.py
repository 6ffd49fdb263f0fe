"""augmented: the batches of cifar_images.Batches, made by JAX from images in the memory of the device."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from cifar_images import ERASED, GRAY, PAD, SIDE, draw_changes, draw_order


def draw_epoch(count: int, batch: int, seed: int, epoch: int) -> np.ndarray:
    """Returns the random numbers of an epoch, int32 [steps, 6, batch]: for each image its index, then its changes.

    They are drawn on the host, because six numbers for each image are little to send. So a seed gives the same batches
    with every backend.
    """
    steps = count // batch
    order = draw_order(count, seed, epoch)[: steps * batch].reshape(steps, 1, batch)
    changes = np.stack([draw_changes(batch, seed, epoch, index) for index in range(steps)])  # [steps, 5, batch]
    return np.concatenate([order, changes], axis=1).astype("int32")


def augmented(images: Any, drawn: Any) -> Any:
    """Chooses, shifts, mirrors and partly erases images: uint8 [N, 32, 32, 3], int32 [6, B] -> uint8 [B, 32, 32, 3].

    All of it but the erasing is one gather, since shifts and mirroring only say which row and column a pixel is from.
    """
    chosen, down, right, mirrored, top, left = drawn[:, :, None]  # [B, 1] each
    line = jnp.arange(SIDE)
    rows = _reflected(line + down - PAD)  # [B, 32]
    columns = _reflected(jnp.where(mirrored == 1, line[::-1], line) + right - PAD)  # [B, 32]
    batch = images[chosen[:, :, None], rows[:, :, None], columns[:, None, :]]  # [B, 32, 32, 3]
    of_rows, of_columns = ((line >= at) & (line < at + ERASED) for at in (top, left))  # [B, 32]
    erased = of_rows[:, :, None] & of_columns[:, None, :]  # [B, 32, 32]
    return jnp.where(erased[..., None], jnp.uint8(GRAY), batch)


def _reflected(places: Any) -> Any:
    """Returns the places inside the image whose pixels are in its reflected margin: -1 -> 1, 32 -> 30."""
    last = SIDE - 1
    return last - jnp.abs(last - jnp.abs(places))
