"""Environment: the nodes and paths that depend on where the pipeline runs."""

from typing import Any

from tfx import v1 as tfx
from tfx.types import BaseChannel

from efficientmixnet.components.pusher import pusher
from efficientmixnet.components.resolvers.baseline import baseline
from efficientmixnet.components.resolvers.latest_spans import latest_spans
from efficientmixnet.components.resolvers.previous_statistics import previous_statistics
from efficientmixnet.components.resolvers.warm_start import warm_start


class Environment:
    """The nodes and paths of a run on this machine. A subclass replaces them for a cluster.

    Each method returns a node of the pipeline.

    Args:
        folder: The folder that everything is written to.
        image_bytes: The size of all images together, or 0 if it is unknown.
    """

    reports_first = False
    """Whether the report is written before the push, which then adds the model card. Otherwise after it."""

    def __init__(self, folder: str, image_bytes: int = 0) -> None:
        self.folder = folder
        self.image_bytes = image_bytes
        self.lookups: list[Any] = []
        """The nodes that the other nodes here read from."""

    @property
    def checkpoints(self) -> str:
        """The folder of the checkpoints that an interrupted training resumes from."""
        return f"{self.folder}/checkpoints"

    @property
    def metadata_config(self) -> Any:
        """The connection to ML Metadata, or None if the environment has a server for it."""
        return tfx.orchestration.metadata.sqlite_metadata_connection_config(f"{self.folder}/metadata.sqlite")

    def previous_statistics(self, examples: BaseChannel, statistics: BaseChannel) -> Any:
        """Its output `previous` holds the statistics of the previous span or run."""
        return previous_statistics(statistics)

    def spans(self, examples: BaseChannel, statistics: BaseChannel, count: int) -> Any:
        """Its output `examples` holds the examples of the `count` latest spans."""
        return latest_spans(examples, count)

    def warm_start(self, schema: BaseChannel) -> Any:
        """Its output `model` is the model that training starts from."""
        return warm_start()

    def baseline(self, candidate: BaseChannel) -> Any:
        """Its output `model` is the model that the candidate is compared with."""
        return baseline(candidate)

    def pusher(
        self, model: BaseChannel, blessing: BaseChannel, infra_blessing: BaseChannel | None, report: BaseChannel | None
    ) -> Any:
        """Copies a blessed model to the folder of pushed models; its output is `pushed_model`."""
        return pusher(model, blessing, f"{self.folder}/pushed", infra_blessing)
