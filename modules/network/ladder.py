"""ladder: networks from small to large, of which `network.variant: auto` chooses one."""

from collections.abc import Iterator, Mapping
from typing import Any

from efficientmixnet.modules.network.plan import as_blocks, smallest_image_size
from efficientmixnet.modules.network.variants import Variant

Keys = Mapping[str, Any]  # of the section `network`

_FEWEST_PIXELS = 4  # sides of the last feature map
_SMALL_IMAGE = 128  # pixels; below this, the published networks have too many strides

# EfficientNetV2's fused blocks: CPUs are slow at depthwise convolutions.
_SMALL_BLOCKS = (
    "r1_k3_s11_e1_i32_o32_c1",
    "r2_k3_s22_e1_i32_o64_c1",
    "r2_k3_s22_e1_i64_o128_c1",
    "r2_k3_s22_e1_i128_o256_c1",
)
# Width and depth of the small networks.
_SMALL = {
    "tiny": (0.25, 1.0),
    "small": (0.5, 1.0),
    "medium": (0.75, 1.0),
    "large": (1.0, 1.0),
    "extra large": (1.5, 1.5),
    "huge": (2.0, 3.0),
}
_PUBLISHED = ("MixNetS", "B0", "MixNetM", "B1", "MixNetL", "B2", "B3", "B4", "B5", "B6", "B7")


SMALLEST = Variant("auto", as_blocks(_SMALL_BLOCKS), *_SMALL["tiny"], stem_filters=32, head_filters=512, stem_stride=1)
"""It decides about the smallest image that the ladder takes."""


def small_network(name: str, stem_stride: int) -> dict[str, Any]:
    """Returns the keys of the section `network` for one of the small networks."""
    width, depth = _SMALL[name]
    return {
        "variant": "custom",
        "blocks": _SMALL_BLOCKS,
        "width": width,
        "depth": depth,
        "stem_filters": 32,
        "head_filters": 512,
        "mixed": False,
        "stem_stride": stem_stride,
    }


def ladder(image_size: int, pretrained: bool) -> Iterator[tuple[str, Keys]]:
    """Yields the names and keys of all networks that suit an image size, in no order.

    Below 128 pixels these are small networks whose stem has no stride. Published networks leave 4 pixels or more.

    Args:
        image_size: The side of the images, in pixels.
        pretrained: Whether only networks with published weights suit. For small images, their stem has no stride.
    """
    is_small = image_size < _SMALL_IMAGE
    if not pretrained:
        for name in _SMALL if is_small else ("tiny", "small"):
            yield name, small_network(name, 1 if is_small else 2)
        if is_small:
            return
    stem_stride = 1 if is_small else 2
    ending = ", stem without stride" if is_small else ""
    for variant in _PUBLISHED:
        stride = smallest_image_size(variant) * stem_stride // 2
        fits = image_size >= _FEWEST_PIXELS * stride or variant == "B0"
        if fits and not (pretrained and variant.startswith("MixNet")):
            yield f"{variant}{ending}", {"variant": variant, "stem_stride": stem_stride}
