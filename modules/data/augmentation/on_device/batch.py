"""augment_batch: augments a batch with the random numbers in it: flip, RandAugment, random erasing and mixing."""

from typing import Any

from keras import ops

from efficientmixnet.modules.data.augmentation.on_device.draws import PIXELS
from efficientmixnet.modules.data.augmentation.on_device.erasing import erase
from efficientmixnet.modules.data.augmentation.on_device.mixing import mix_images, mix_labels
from efficientmixnet.modules.data.augmentation.on_device.randaugment import rand_augment


def augment_batch(batch: tuple[Any, ...], magnitude: float) -> tuple[Any, ...]:
    """Does with a batch what `augment_image` does after the crop, and then what `mix_images` does.

    It runs in the training step, with TensorFlow or JAX. The operations are written for batches instead of images,
    because a device would compute one image after another slowly.

    Args:
        batch: A dictionary of the images `pixels`, [B, H, W, 3], and their random numbers, as `draw_for_image` and
            `draw_for_batch` return them; the labels, float32 [B, K]; and, optionally, weights, float32 [B].
        magnitude: The strength of RandAugment's operations, from 0 to 10.

    Returns:
        The images, of the same type, the labels and the weights.
    """
    drawn, *targets = batch
    images = ops.convert_to_tensor(drawn[PIXELS])
    whole = "int" in str(images.dtype)
    levels = ops.cast(images, "float32")
    if "flipped" in drawn:
        levels = ops.where(drawn["flipped"][:, None, None, None], ops.flip(levels, axis=2), levels)
    if "chosen" in drawn:
        levels = rand_augment(levels, drawn["chosen"], drawn["direction"], magnitude, whole)
    if "erased" in drawn:
        levels = erase(levels, drawn["erased"], drawn["noise_seed"])
    if "weight" in drawn:
        levels, weight = mix_images(levels, drawn["weight"], drawn["cut"], drawn["middle"])
        levels = ops.round(levels) if whole else levels
        targets = [mix_labels(one, weight) for one in targets]
    return ops.cast(levels, images.dtype), *targets
