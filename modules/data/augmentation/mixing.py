"""mix_images: mixup and CutMix, which combine two images of a batch and their labels.

    mixup:   x = λ x_i + (1 - λ) x_j,              y = λ y_i + (1 - λ) y_j,   λ ~ Beta(α, α)
    CutMix:  x = x_i with a rectangle of x_j,      y as above, with 1 - λ the rectangle's fraction of the area

Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, https://arxiv.org/abs/1710.09412
Yun et al., CutMix, ICCV 2019, https://arxiv.org/abs/1905.04899
"""

import tensorflow as tf


def mix_images(
    images: tf.Tensor,
    one_hot: tf.Tensor,
    seed: tf.Tensor,
    *,
    mixup_alpha: float = 0.0,
    cutmix_alpha: float = 0.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixes every image with the previous image of the batch. Each image has its own λ.

    Args:
        images: [B, H, W, C], of any type.
        one_hot: Labels [B, K].
        seed: Two integers.
        mixup_alpha: α of mixup; 0: no mixup.
        cutmix_alpha: α of CutMix; 0: no CutMix. With both, the seed chooses one of them for the whole batch.

    Returns:
        Images [B, H, W, C] of the same type, rounded if they are integers, and labels, float32 [B, K].
    """
    one_hot = tf.cast(one_hot, tf.float32)
    if not mixup_alpha and not cutmix_alpha:
        return images, one_hot
    coin_seed, seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    if not cutmix_alpha:
        mixed, weight = mixup(images, mixup_alpha, seed)
    elif not mixup_alpha:
        mixed, weight = cutmix(images, cutmix_alpha, seed)
    else:
        mixed, weight = tf.cond(
            draw_mixup(coin_seed),
            lambda: mixup(images, mixup_alpha, seed),
            lambda: cutmix(images, cutmix_alpha, seed),
        )
    weight = weight[:, None]  # [B, 1]
    return mixed, weight * one_hot + (1 - weight) * partner_of(one_hot)


def draw_mixup(seed: tf.Tensor) -> tf.Tensor:
    """Draws whether a batch gets mixup instead of CutMix: bool []."""
    return tf.random.stateless_uniform([], seed) < 0.5


def partner_of(batch: tf.Tensor) -> tf.Tensor:
    """Returns the previous image for each image, which is random because the order of the batch is."""
    return tf.roll(batch, shift=1, axis=0)


def mixup(images: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the blended images [B, H, W, C] and the weight λ of each image [B]."""
    weight = beta(tf.shape(images)[0], alpha, seed)  # [B]
    broadcast = weight[:, None, None, None]
    own = tf.cast(images, tf.float32)
    mixed = broadcast * own + (1 - broadcast) * partner_of(own)
    if images.dtype.is_integer:
        mixed = tf.round(mixed)
    return tf.cast(mixed, images.dtype), weight


def cutmix(images: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the patched images [B, H, W, C] and the weight λ of each image [B]."""
    batch, height, width = (tf.shape(images)[axis] for axis in range(3))
    cut, middle = draw_rectangles(batch, alpha, seed)
    rows = inside(middle[0], cut, height)  # [B, H]
    columns = inside(middle[1], cut, width)  # [B, W]
    patch = rows[:, :, None] & columns[:, None, :]  # [B, H, W]
    # The rectangle may reach beyond the image. Only the part within the image counts.
    weight = 1 - tf.reduce_mean(tf.cast(patch, tf.float32), axis=(1, 2))  # [B]
    return tf.where(patch[..., None], partner_of(images), images), weight


def draw_rectangles(count: int | tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws CutMix's rectangles: their sides [B] and their middles [2, B], as fractions of the image's sides."""
    lambda_seed, place_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    return tf.sqrt(1 - beta(count, alpha, lambda_seed)), tf.random.stateless_uniform([2, count], place_seed)


def inside(middle: tf.Tensor, cut: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """Returns which pixels of a side are in the interval of length `cut` [B] around `middle` [B]: bool [B, side]."""
    length = tf.cast(side, tf.float32)
    pixel = tf.range(length)[None, :] + 0.5
    return tf.abs(pixel - (middle * length)[:, None]) < (cut * length / 2)[:, None]


def beta(count: int | tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """Draws `count` numbers from Beta(α, α), as x / (x + y) of two gamma variables."""
    one, other = tf.unstack(tf.random.stateless_gamma([2, count], seed, alpha))
    return one / (one + other)
