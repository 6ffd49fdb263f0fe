"""DataVersion: computes a fingerprint of the images from the name, size and time of every file.

It runs in every run. ImageExampleGen is cached, and runs again if the fingerprint has changed.
"""

import json

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.kubeflow.tasks.task import Task


def run(task: Task) -> None:
    """Sets `fingerprint`. The parameters are those of ImageExampleGen."""
    given = task.parameters
    sources = find_images(
        given["images"],
        given["manifest"] or None,
        frozenset(json.loads(given["splits"])),
        Layout.model_validate_json(given["layout"]),
        json.loads(given["split_names"]),
        given["group"] or None,
        int(given["max_image_bytes"]),
        corrections=given["corrections"] or None,
    )
    task.values["fingerprint"] = sources.fingerprint
