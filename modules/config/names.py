"""Types of the configuration's names: those of folders, and those that Kubernetes checks.

A name of one of these types is safe as a part of a path.
"""

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from efficientmixnet.modules.config.section import TAKES_PATHS


def matching(pattern: str, words: str) -> AfterValidator:
    """Returns a check that text matches a pattern as a whole.

    Args:
        pattern: A regular expression. Classes such as \\w have only ASCII characters.
        words: What the text should be, for the message.

    Example:
        >>> Word = Annotated[str, matching("[a-z]+", "should have lower-case letters only")]
    """
    expression = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not expression.fullmatch(value):
            raise PydanticCustomError("name", "{words}", {"words": words})
        return value

    return AfterValidator(check)


_DNS = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_QUALIFIED = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_NO_STEP_UP = r"(?!(.*/)?\.\.(/|$))"

# TFX takes no other names for splits.
FolderName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}",
        "should have at most 63 letters, digits, hyphens and underscores, and start with a letter or a digit",
    ),
]
PipelineName = Annotated[
    str,
    matching(
        r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "should have at most 63 lower-case letters, digits and hyphens, start with a letter, and not end with a hyphen",
    ),
]
KubernetesName = Annotated[
    str,
    matching(
        rf"(?=.{{1,253}}$){_DNS}",
        "should be a Kubernetes name of lower-case letters, digits, hyphens and dots",
    ),
]
_LABEL_KEY = rf"(?=.{{1,317}}$)({_DNS}/)?{_QUALIFIED}"
LabelKey = Annotated[str, matching(_LABEL_KEY, "should be the key of a Kubernetes label, such as zone")]
TaintKey = Annotated[
    str, matching(rf"({_LABEL_KEY})?", "should be the key of a Kubernetes taint, such as nvidia.com/gpu")
]
LabelValue = Annotated[
    str,
    matching(rf"({_QUALIFIED})?", "should be the value of a Kubernetes label: at most 63 letters, digits and . _ -"),
]
SecretKey = Annotated[
    str,
    matching(
        r"(?!\.\.)[A-Za-z0-9._-]{1,253}(?<!^\.)",
        "should be a key of a Secret: letters, digits and . _ -, such as accesskey",
    ),
]
Variable = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "should be the name of an environment variable")]
ContainerPath = Annotated[
    str,
    matching(
        rf"{_NO_STEP_UP}/[^:\x00-\x1f]*",
        "should be an absolute path in the container without .. and :, such as /mnt/images",
    ),
    TAKES_PATHS,
]
RelativePath = Annotated[
    str,
    matching(rf"({_NO_STEP_UP}[^/\x00-\x1f][^\x00-\x1f]*)?", "should be a relative path without .."),
    TAKES_PATHS,
]
Place = Annotated[
    str,
    matching(
        rf"{_NO_STEP_UP}[^\x00-\x20]*",
        "should be a URI such as minio://bucket/folder, or a path, without .. and spaces",
    ),
    TAKES_PATHS,
]
ServiceUrl = Annotated[
    str,
    matching(
        r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?",
        "should be the URL of a service, such as http://model-registry-service.kubeflow:8080",
    ),
]
