"""The differences between the two supported stacks, each with its reason.

The older stack is Python 3.10 with TFX 1.16. The newer one is Python 3.11 to 3.13 with TFX 1.21. To drop the older
stack, delete this file and its uses, the lines for Python 3.10 in pyproject.toml, and 3.10 in tools/choose_python.sh.
"""

import sys

OLDER = sys.version_info < (3, 11)

# The method is get_healthz in kfp 2.5. kfp 2.16 requires kfp-server-api 2.17, which puts the service's name first.
HEALTHZ_METHOD = "get_healthz" if OLDER else "healthz_service_get_healthz"

if OLDER:
    # pyarrow 10 can run code from a file's schema (CVE-2023-47248). pyarrow 14.0.1 and newer refuse it.
    # files/parquet_file.py imports this module before it opens a file.
    import pyarrow_hotfix  # noqa: F401
