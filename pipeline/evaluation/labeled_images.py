"""LabeledImages: the images that an evaluation measures, and the files that it leaves out."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.readers.by_format import unpack
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.components.image_example_gen.split_names import SplitNames
from efficientmixnet.components.image_example_gen.splits import assign_splits
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.data_config import DataConfig


@dataclass(frozen=True)
class LabeledImages:
    """The images of a dataset or of one of its splits.

    Args:
        sources: The images.
        data: The section `data` of the configuration.
    """

    sources: Sources
    data: DataConfig

    @classmethod
    def find(cls, data: DataConfig, split: str | None) -> "LabeledImages":
        """Lists the images, as a run does.

        Args:
            data: The section `data` of the configuration.
            split: The split to measure; None for all images.

        Raises:
            BadInput: The data has no images, or the split has none.
        """
        sources = find_images(
            data.images,
            data.manifest,
            frozenset(data.splits),
            data.layout,
            data.split_names,
            data.group,
            data.max_image_bytes,
            least_labels=1,
            corrections=data.corrections,
        )
        return cls(_only(sources, data, split) if split else sources, data)

    def unknown(self, labels: Collection[str]) -> dict[str, int]:
        """Returns the number of images of each label that is not one of these."""
        return {label: count for label, count in self.sources.labels.items() if label not in labels}

    def write_records(
        self, file: Path, labels: Collection[str], folder: Path, channels: int = 3
    ) -> tuple[int, list[LeftOut]]:
        """Writes a tf.Example for each image with one of these labels, as ImageExampleGen does.

        Args:
            file: The TFRecord file to write.
            labels: The labels that are measured.
            folder: A folder for temporary files.
            channels: The number of channels of the images that the model takes.

        Returns:
            The number of images that were written, and the files that were left out.
        """
        import tensorflow as tf

        from efficientmixnet.components.image_example_gen.image import read

        entries = [entry for entry in self.sources.entries if entry.label in labels]
        left_out: list[LeftOut] = []
        progress.start(len(entries), "images read")
        with tf.io.TFRecordWriter(str(file), tf.io.TFRecordOptions("GZIP", compression_level=1)) as writer:
            for entry in self._direct(entries, folder):
                found = read(
                    entry,
                    self.data.max_pixels,
                    self.sources.columns,
                    channels=channels,
                    max_bytes=self.data.max_image_bytes,
                )
                if isinstance(found, LeftOut):
                    left_out.append(found)
                else:
                    writer.write(found.SerializeToString(deterministic=True))
                progress.advance()
        return len(entries) - len(left_out), [*self.sources.left_out, *left_out]

    def _direct(self, entries: Sequence[Entry], folder: Path) -> Iterator[Entry]:
        """Yields entries that can be read on their own, by name. Other images are first copied to the folder."""
        in_order = [entry for entry in entries if entry.row is not None]
        yield from (entry for entry in entries if entry.row is None)
        if in_order:
            path = folder / "unpacked"
            with path.open("wb") as file:
                unpacked = list(
                    unpack(
                        in_order,
                        self.sources.format,
                        self.data.layout,
                        file,
                        str(path),
                        self.data.max_image_bytes,
                    )
                )
            yield from sorted(unpacked, key=lambda entry: entry.name)


def _only(sources: Sources, data: DataConfig, split: str) -> Sources:
    """Returns the images of one split, which the data names or the hashes give."""
    entries, _ = assign_splits(sources.entries, data.splitting, sources.removed)
    wanted = SplitNames(data.splits, data.split_names).of_value(split) or split
    chosen = tuple(entry for entry in entries if entry.split == wanted)
    if not chosen:
        counts = Counter(str(entry.split) for entry in entries)
        there = ", ".join(f"{name} ({count:,} images)" for name, count in sorted(counts.items()))
        raise BadInput(f"--split {split}: has no images; the splits are {there}")
    return replace(sources, entries=chosen)
