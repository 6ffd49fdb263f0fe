"""find_dataset: lists the images of a dataset, each with its split."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from efficientmixnet.components.image_example_gen.corrections import check_corrected
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.components.image_example_gen.splits import Splits, assign_splits


def find_dataset(
    data: str,
    manifest: str | None,
    splits: Splits,
    layout: Layout,
    max_image_bytes: int = MAX_IMAGE_BYTES,
    corrections: str | None = None,
) -> Sources:
    """Lists the images of a dataset, each with its split.

    Args:
        data: The folder of the images, or a file of many images.
        manifest: A CSV or JSON-lines file that names images relative to `data`; None for none.
        splits: How images without a split are divided.
        layout: The layout of the data.
        max_image_bytes: Larger images are left out.
        corrections: A CSV or JSON-lines file with the right labels of some images; None for none.

    Raises:
        BadInput: As for find_images and assign_splits, or an image is corrected to a class without training images.
    """
    names = frozenset(splits.fractions)
    sources = find_images(
        data, manifest, names, layout, splits.names, splits.group, max_image_bytes, corrections=corrections
    )
    entries, notes = assign_splits(sources.entries, splits, sources.removed)
    if corrections:
        check_corrected(corrections, entries)
    fractions = _with_named(splits.hashed, Counter(entry.split for entry in entries))
    # A split with the fraction 0 and without images is an error later.
    in_order = {split: fractions.get(split, 0.0) for split in {**splits.fractions, **fractions}}
    return replace(sources, entries=entries, splits=in_order, notes=(*sources.notes, *notes))


def _with_named(fractions: Mapping[str, float], counts: Mapping[str | None, int]) -> dict[str, float]:
    """Returns the fractions, with those of splits that only the source names, such as test."""
    others = max(1, sum(counts.get(split, 0) for split in fractions))
    whole = sum(fractions.values())
    further = {split: count / others * whole for split, count in counts.items() if split and split not in fractions}
    return {**fractions, **{split: round(further[split], 6) or 1e-6 for split in sorted(further)}}
