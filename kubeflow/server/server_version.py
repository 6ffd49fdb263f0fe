"""retry_note: what a server of this version does with failed tasks, for servers that do not retry containers."""

import json
import re
from typing import Any

_PATH = "/apis/v2beta1/healthz"
_FIRST = (2, 17)  # its manifests have a default retry strategy


def retry_note(client: Any) -> str | None:
    """Returns a note on retries, or None if the server starts failed containers again or does not tell its version.

    Args:
        client: A kfp.Client.
    """
    answer = client._run_api.api_client.call_api(
        _PATH, "GET", auth_settings=["Bearer"], _preload_content=False, _return_http_data_only=True
    )
    try:
        tag = str(json.loads(answer.data).get("tag_name", ""))
    except (ValueError, AttributeError):
        return None
    version = re.match(r"v?(\d+)\.(\d+)", tag)
    if version is None or (int(version[1]), int(version[2])) < _FIRST:
        return None
    return (
        f"Kubeflow Pipelines {version[0]} retries a failed task in its own pod, but not a container that was killed "
        "because its memory was full, unless the administrator has changed templateDefaults.retryStrategy."
        "retryPolicy in the ConfigMap workflow-controller-configmap"
    )
