"""mix_images: mixup and CutMix, which blend or patch two images of a batch and their labels.

    mixup:   x = λ x_i + (1 - λ) x_j,              y = λ y_i + (1 - λ) y_j,   λ ~ Beta(α, α)
    CutMix:  x = x_i, a rectangle of it from x_j,  y as above, 1 - λ the rectangle's share of the area

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
    """Every image mixed with the one before it in the batch, by a λ of its own.

    With both alphas the seed decides between mixup and CutMix for the whole batch; an alpha of 0 switches its kind
    off. Images [B, H, W, 3] keep their type (whole numbers are rounded); labels [B, K] -> float32 [B, K].
    """
    one_hot = tf.cast(one_hot, tf.float32)
    if not mixup_alpha and not cutmix_alpha:
        return images, one_hot
    coin_seed, seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    if not cutmix_alpha:
        mixed, share = mixup(images, mixup_alpha, seed)
    elif not mixup_alpha:
        mixed, share = cutmix(images, cutmix_alpha, seed)
    else:
        mixed, share = tf.cond(
            tf.random.stateless_uniform([], coin_seed) < 0.5,
            lambda: mixup(images, mixup_alpha, seed),
            lambda: cutmix(images, cutmix_alpha, seed),
        )
    share = share[:, None]  # [B, 1]
    return mixed, share * one_hot + (1 - share) * partner_of(one_hot)


def partner_of(batch: tf.Tensor) -> tf.Tensor:
    """The image before each one: never itself, and as random as the batch's order."""
    return tf.roll(batch, shift=1, axis=0)


def mixup(images: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The blended images [B, H, W, 3] and each one's own share λ [B]."""
    share = beta(tf.shape(images)[0], alpha, seed)  # [B]
    weight = share[:, None, None, None]
    own = tf.cast(images, tf.float32)
    mixed = weight * own + (1 - weight) * partner_of(own)
    if images.dtype.is_integer:
        mixed = tf.round(mixed)
    return tf.cast(mixed, images.dtype), share


def cutmix(images: tf.Tensor, alpha: float, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The patched images [B, H, W, 3] and each one's own share of the area [B]."""
    share_seed, place_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    batch, height, width = (tf.shape(images)[axis] for axis in range(3))
    cut = tf.sqrt(1 - beta(batch, alpha, share_seed))  # [B], the rectangle's sides over the image's
    middle = tf.random.stateless_uniform([2, batch], place_seed)
    rows = inside(middle[0], cut, height)  # [B, H]
    columns = inside(middle[1], cut, width)  # [B, W]
    patch = rows[:, :, None] & columns[:, None, :]  # [B, H, W]
    # The rectangle may reach over the edge: what counts is what is left of it.
    share = 1 - tf.reduce_mean(tf.cast(patch, tf.float32), axis=(1, 2))  # [B]
    return tf.where(patch[..., None], partner_of(images), images), share


def inside(middle: tf.Tensor, cut: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """The pixels of a side that lie within `cut` [B] of its length around `middle` [B]: bool [B, side]."""
    length = tf.cast(side, tf.float32)
    pixel = tf.range(length)[None, :] + 0.5
    return tf.abs(pixel - (middle * length)[:, None]) < (cut * length / 2)[:, None]


def beta(count: tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """`count` draws from Beta(α, α), as the share of one of two gamma variables in their sum."""
    one, other = tf.unstack(tf.random.stateless_gamma([2, count], seed, alpha))
    return one / (one + other)
