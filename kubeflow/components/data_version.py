"""DataVersion: computes a fingerprint of the images.

It runs in every run. ImageExampleGen is cached, and runs again if the fingerprint has changed.
"""

import json

from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images


@tfx.dsl.components.component
def DataVersion(
    fingerprint: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    images: tfx.dsl.components.Parameter[str],
    manifest: tfx.dsl.components.Parameter[str],
    splits: tfx.dsl.components.Parameter[str],
    layout: tfx.dsl.components.Parameter[str],
    split_names: tfx.dsl.components.Parameter[str] = "{}",
    group: tfx.dsl.components.Parameter[str] = "",
    max_image_bytes: tfx.dsl.components.Parameter[int] = MAX_IMAGE_BYTES,
) -> None:
    """Computes the fingerprint from the name, size and time of every file, without opening images.

    Args:
        fingerprint: The fingerprint.
        images: As for ImageExampleGen.
        manifest: As for ImageExampleGen.
        splits: As for ImageExampleGen.
        layout: As for ImageExampleGen.
        split_names: As for ImageExampleGen.
        group: As for ImageExampleGen.
        max_image_bytes: As for ImageExampleGen.
    """
    form, names = Layout.model_validate_json(layout), frozenset(json.loads(splits))
    further = json.loads(split_names)
    sources = find_images(images, manifest or None, names, form, further, group or None, max_image_bytes)
    fingerprint.write(sources.fingerprint)
