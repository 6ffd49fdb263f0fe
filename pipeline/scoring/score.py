"""Scores the images of a folder or a manifest, shard by shard, so that an interrupted run can resume.

The predictions of each shard are written to a file of their own. The last step merges these files into the outputs.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import SAVED_MODEL, newest_version
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.check_writable import check_writable
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret
from efficientmixnet.pipeline.scoring.images_to_score import find_images
from efficientmixnet.pipeline.scoring.merge_shards import SUFFIXES, Scored, left_out_file_of, merge_shards
from efficientmixnet.pipeline.scoring.shard_scorer import ShardScorer

SHARD = 1024  # images; an interrupted run loses at most this many
_JOB_FILE = "job.json"
_LOCK_FILE = ".lock"


def score(model: str, images: str, outputs: Sequence[Path], manifest: str | None = None) -> Scored:
    """Writes a model's prediction for each image, sorted by the image's name.

    If the previous call with the same images and model was interrupted, scoring resumes at the first missing shard.

    Args:
        model: A pushed model, or the folder of pushed models.
        images: A folder on disk or in an object store. Its subfolders are included.
        outputs: The files to write. The suffix gives the format: .parquet includes the probability of every class,
            .csv only that of the predicted class.
        manifest: A CSV or JSON-lines file. If given, only the images in its column `path` are scored.

    Returns:
        The number of images, and the files written.

    Raises:
        BadInput: An argument cannot be used, or there are no images.

    Example:
        >>> scored = score("runs/pushed", "photos", [Path("predictions.csv")])
        >>> scored.images
        1797
    """
    for output in outputs:
        _check(output)
    refuse_secret("IMAGES", images)
    refuse_secret("--manifest", manifest)
    first = outputs[0]
    if left_out_file_of(first) in outputs:
        raise BadInput(
            f"--output {left_out_file_of(first)}: lists the images that {first} leaves out; give another name"
        )
    folder = first.with_name(f".{first.name}.parts")
    try:
        with _only_job_in(folder, first):
            return _score(model, images, outputs, manifest, folder)
    except OSError as error:
        raise BadInput(f"--output {error.filename or first}: cannot be written: {error.strerror}") from None


def _score(model: str, images: str, outputs: Sequence[Path], manifest: str | None, folder: Path) -> Scored:
    path = newest_version(Path(model))
    versions, left_out = find_images(images, manifest)
    names = list(versions)
    job = _job(images, versions, path)
    missing = _missing_shards(folder, job, names)
    progress.start(len(names), "images")
    progress.advance(len(names) - sum(len(shard) for _, shard in missing))
    scorer = ShardScorer(str(path), images) if missing else None  # Nothing is written if the model is damaged.
    for output in outputs:
        output.parent.mkdir(parents=True, exist_ok=True)
    _begin(folder, job)
    if scorer:
        for number, shard in missing:
            scorer.score(shard, _shard_file(folder, number))
    shards = [_shard_file(folder, number) for number in range(-(-len(names) // SHARD))]
    scored = merge_shards(shards, outputs, left_out)
    shutil.rmtree(folder)
    return scored


@contextmanager
def _only_job_in(folder: Path, output: Path) -> Iterator[None]:
    """Locks the folder of the shards. The operating system releases the lock when the process ends.

    If the body fails before there is a job, the folders that this has made are removed.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    lock = FileLock(folder / _LOCK_FILE)
    while not lock.is_locked:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise BadInput(
                f"--output {output}: another command is writing this file; wait until it ends, or give another file"
            ) from None
        if not (folder / _LOCK_FILE).exists():  # The other command has just ended, and deleted its folder.
            lock.release()
    try:
        yield
    except BaseException:
        if not (folder / _JOB_FILE).exists():
            _remove(folder, made)
        raise
    finally:
        lock.release()


def _remove(folder: Path, made: Sequence[Path]) -> None:
    with suppress(OSError):  # Something else is in a folder.
        (folder / _LOCK_FILE).unlink()
        for path in made:
            path.rmdir()


def _check(output: Path) -> None:
    """Raises BadInput if the file could not be written after all the work."""
    if output.suffix not in SUFFIXES:
        raise BadInput(f"--output {output}: unknown format; give a file that ends in {' or '.join(SUFFIXES)}")
    check_writable("--output", output)


def _job(images: str, versions: Mapping[str, str], model: Path) -> dict[str, Any]:
    """What makes the shards' files valid: the images and the model."""
    listed = "\n".join([images, *(f"{name}\t{version}" for name, version in versions.items())])
    digest = hashlib.sha256(listed.encode(errors="backslashreplace")).hexdigest()
    version = (model / SAVED_MODEL).stat()
    return {"images": digest, "model": [str(model), version.st_size, version.st_mtime_ns]}


def _missing_shards(folder: Path, job: Mapping[str, Any], names: Sequence[str]) -> list[tuple[int, Sequence[str]]]:
    """The shards that have no file yet, or only that of another job."""
    is_new = _read(folder / _JOB_FILE) != job
    shards = enumerate(names[start : start + SHARD] for start in range(0, len(names), SHARD))
    return [(number, shard) for number, shard in shards if is_new or not _shard_file(folder, number).exists()]


def _begin(folder: Path, job: Mapping[str, Any]) -> None:
    """Deletes the shards of another job, and writes down this one."""
    file = folder / _JOB_FILE
    if _read(file) != job:
        folder.mkdir(parents=True, exist_ok=True)
        for shard in folder.glob("*.parquet"):
            shard.unlink()
        write_text(file, json.dumps(job), private=True)


def _read(file: Path) -> Any:
    """The job of the previous call; None if it left no file, or a damaged one."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def _shard_file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.parquet"
