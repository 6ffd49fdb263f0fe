"""An object store in a dictionary, for addresses that start with shelf://.

As in MinIO, its listing has the time of an object with milliseconds, but the answer about one object does not. As in
s3fs, they are in different time zones. Objects in shelf://untagged have no ETag.
"""

import io
import zlib
from datetime import datetime, timedelta, timezone
from typing import Any

import fsspec

from efficientmixnet.components.image_example_gen import files

STORE: dict[str, bytes] = {}
_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class _Store(fsspec.AbstractFileSystem):
    protocol = "shelf"

    def find(self, path: str, *_: Any, **__: Any) -> dict[str, dict[str, Any]]:
        if path.startswith("shelf://locked"):
            raise PermissionError("no access")
        found = [file for file in STORE if file == path or file.startswith(path.rstrip("/") + "/")]
        time = _TIME.replace(microsecond=678_000).astimezone(timezone(timedelta(hours=2)))
        return {file.removeprefix("shelf://"): {**self.info(file), "LastModified": time} for file in found}

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path not in STORE:
            raise FileNotFoundError(f"{path} is gone")
        about = {"name": path, "type": "file", "size": len(STORE[path]), "LastModified": _TIME}
        return about if path.startswith("shelf://untagged") else {**about, "ETag": f'"{zlib.crc32(STORE[path]):x}"'}

    def open(self, path: str, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self.cat_file(path))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        self.info(path)
        return STORE[path][start:end]


files.STORES |= {"shelf"}
fsspec.register_implementation("shelf", _Store, clobber=True)
