"""Skipped: a file or folder that is not an image. This file has the list of them.

They are counted, but have no row in left_out.csv and do not count towards data.max_left_out.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES as IMAGE_SUFFIXES

OUTPUT_MARK = ".efficientmixnet"
"""The name of a file in the output folder of runs."""

_HIDDEN, _OUTPUT = "hidden", "output of runs"

_NAMES = frozenset(
    {
        *("@eadir", "@__thumb", "#recycle", "@recycle", "#snapshot", "~snapshot", "@recently-snapshot"),  # NAS systems
        *("__macosx", "icon\r", "network trash folder", "temporary items"),  # macOS
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),  # Windows
        *("$recycle.bin", "system volume information", "lost+found"),  # file systems
        *("_darcs", "_svn", "__pycache__"),  # version control, Python
    }
)
"""Files and folders, in lower case. Names that start with a dot are skipped too, such as .git and .DS_Store."""

_BINS = frozenset({"RECYCLER", "RECYCLED"})  # of old versions of Windows. In other letters, it may be a class of waste.
_REPAIRED = re.compile(r"found\.\d{3}", re.IGNORECASE)  # folders of what Windows found on a damaged disk

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4")
_COMPRESSED_IMAGES = IMAGE_SUFFIXES | {".nii", ".dcm", ".mha", ".fits", ".svg"}
_SHARDS = frozenset(
    {
        *(".tar", ".tgz", ".tbz2", ".txz", *_COMPRESSED),
        *(".parquet", ".arrow", ".feather", ".avro", ".orc", ".tfrecord", ".tfrecords", ".tfrec"),
    }
)
SUFFIXES = _SHARDS | frozenset(
    {
        *(".txt", ".text", ".md", ".rst", ".log", ".rtf", ".tex", ".pdf", ".html", ".htm", ".css"),
        *(".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".geojson", ".xml", ".yaml", ".yml", ".toml"),
        *(".ini", ".cfg", ".conf", ".db", ".sqlite", ".sql", ".url", ".lnk", ".torrent"),
        *(".xmp", ".aae", ".pp3", ".dop", ".nksc", ".identifier"),  # beside an image, as in 1.jpg:Zone.Identifier
        *(".doc", ".docx", ".xls", ".xlsx", ".ods", ".odt", ".ppt", ".pptx"),
        *(".py", ".pyc", ".ipynb", ".sh", ".bat", ".js", ".m", ".r", ".c", ".cpp", ".java"),
        *(".zip", ".7z", ".rar", ".md5", ".sha1", ".sha256"),
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp"),
        *(".mp3", ".wav", ".m4a", ".aac", ".flac", ".ogg"),
        *(".pkl", ".pickle", ".joblib", ".h5", ".hdf5", ".mat", ".bin"),
        *(".keras", ".pt", ".pth", ".onnx", ".tflite", ".ckpt", ".pb", ".safetensors"),
    }
)
"""The suffixes of files that are not images."""

_MARKERS = frozenset({"_success", "_started", "_committed", "_temporary", "done", "keep", "lock", "readme", "license"})
"""The names, in lower case, of empty files that programs write to say something."""

_DRAWINGS = frozenset({".svg", ".svgz", ".eps", ".ps", ".xpm", ".xbm"})  # images that are text
_CONTAINERS = {  # the first bytes, by their place in the file
    0: (
        *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PAR1", b"\x89HDF\r\n\x1a\n", b"MATLAB "),
        *(b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"%PDF-", b"SQLite format 3\0"),
    ),
    257: (b"ustar",),
}
_HEAD = 4096  # bytes
_NAME_IN_ZIP = 128  # bytes of a ZIP file, which begin with the name of its first file
_SPACES = "\t\n\r\f"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not an image.

    Args:
        name: The name relative to the data folder.
        kind: What it is counted as: hidden, output of runs, or its name or suffix in the list.
    """

    name: str
    kind: str

    @classmethod
    def by_name(cls, name: str) -> "Skipped | None":
        """Returns the file or folder if the list has its name, or None. Names of folders above it are ignored."""
        last = name.rpartition("/")[2]
        if last.startswith("."):
            return cls(name, _HIDDEN)
        is_listed = last.lower() in _NAMES or last in _BINS or _REPAIRED.fullmatch(last)
        return cls(name, last.strip()) if is_listed else None

    @classmethod
    def by_suffix(cls, name: str) -> "Skipped | None":
        """Returns the file if the list has its suffix, or None. A compressed image is not in it."""
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        inner = PurePosixPath(path.stem).suffix.lower() if suffix in _COMPRESSED else ""
        return cls(name, suffix) if suffix in SUFFIXES and inner not in _COMPRESSED_IMAGES else None

    @classmethod
    def as_output(cls, name: str) -> "Skipped":
        """Returns the output folder of runs."""
        return cls(name, _OUTPUT)


def is_output(names: frozenset[str]) -> bool:
    """Returns whether a folder with these names is the output folder of runs."""
    return OUTPUT_MARK in names or {"metadata.sqlite", "artifacts"} <= names  # earlier versions wrote no mark


def may_hold_images(name: str) -> bool:
    """Returns whether a file that is not an image may hold some, as its suffix says."""
    return PurePosixPath(name).suffix.lower() in _SHARDS


def is_marker(name: str) -> bool:
    """Returns whether an empty file with this name is no image."""
    return name.rpartition("/")[2].lower() in _MARKERS


def is_container(name: str, head: bytes) -> bool:
    """Returns whether the first bytes are those of an archive, table or document, and not of a compressed image."""
    if PurePosixPath(name).suffix.lower() in (*_COMPRESSED, ".svgz"):
        return False  # by_suffix has left it
    if head.startswith(b"PK") and b".npy" in head[:_NAME_IN_ZIP]:
        return False  # an .npz file of another name
    return any(head.startswith(magics, place) for place, magics in _CONTAINERS.items())


def is_text(name: str, head: bytes) -> bool:
    """Returns whether the first bytes of a file show that it is text, and not a drawing in text."""
    if PurePosixPath(name).suffix.lower() in _DRAWINGS or b"<svg" in head[:_HEAD]:
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head[:_HEAD])  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in _SPACES for character in text)


def in_words(counts: Mapping[str, int]) -> str:
    """Returns the numbers of skipped files and folders as text, the largest first.

    Example:
        >>> in_words({"@eaDir": 1, ".txt": 3})
        '3 .txt, 1 @eaDir'
    """
    return ", ".join(
        f"{count:,} {kind}" for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
