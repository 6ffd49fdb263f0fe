"""The component DataVersion: a fingerprint of the images, taken anew in every run.

It is never cached; ImageExampleGen is, and runs again when the fingerprint changes.
"""

import json

from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images


@tfx.dsl.components.component
def DataVersion(
    fingerprint: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    images: tfx.dsl.components.Parameter[str],
    manifest: tfx.dsl.components.Parameter[str],
    splits: tfx.dsl.components.Parameter[str],
    layout: tfx.dsl.components.Parameter[str],
) -> None:
    """Takes ImageExampleGen's parameters; looks at every file's name, size and time, and opens no image."""
    sources = find_images(images, manifest or None, frozenset(json.loads(splits)), Layout.model_validate_json(layout))
    fingerprint.write(sources.fingerprint)
