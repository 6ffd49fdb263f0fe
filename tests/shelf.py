"""An object store in a dictionary, for addresses that start with shelf://."""

import io
from typing import Any

import fsspec

from efficientmixnet.components.image_example_gen import files

STORE: dict[str, bytes] = {}


class _Store(fsspec.AbstractFileSystem):
    protocol = "shelf"

    def find(self, path: str, *_: Any, **__: Any) -> dict[str, dict[str, Any]]:
        if path.startswith("shelf://locked"):
            raise PermissionError("no access")
        found = [file for file in STORE if file == path or file.startswith(path.rstrip("/") + "/")]
        return {file.removeprefix("shelf://"): self.info(file) for file in found}

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path not in STORE:
            raise FileNotFoundError(f"{path} is gone")
        return {"name": path, "type": "file", "size": len(STORE[path]), "mtime": 12.5}

    def open(self, path: str, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(self.cat_file(path))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        self.info(path)
        return STORE[path][start:end]


files.STORES |= {"shelf"}
fsspec.register_implementation("shelf", _Store, clobber=True)
