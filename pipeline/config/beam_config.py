"""BeamConfig: which runner runs the data components, and its arguments; checked before anything runs."""

import os
from typing import Annotated, Literal

from pydantic import Field, model_validator

from efficientmixnet.modules.config.section import Section

# Without a name, Beam first looks for another runner on the network; and without a container image, which nothing in
# this process needs, TFX packs an archive of itself at every component.
IN_PROCESS = ("--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner", "--sdk_container_image=none")

_DAY = 86400.0  # seconds
_PROCESSES_PAY = 4 * 10**9  # bytes of images; below, starting processes takes longer than they save
_RUNNERS = {
    "portable": "PortableRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}
# What a runner cannot do without, and what for.
_NEEDED = {
    "portable": {"job_endpoint": "the job server, host:port", "environment_type": "how its workers run our code"},
    "flink": {"flink_master": "Flink's REST address, host:port", "environment_type": "how its workers run our code"},
    "spark": {"spark_master_url": "Spark's address, spark://host:port", "environment_type": "how workers run our code"},
    "dataflow": {"project": "Google's project", "region": "where", "temp_location": "a gs:// folder"},
}

Argument = Annotated[str, Field(pattern=r"^--[a-z][a-z0-9_]*(=.+)?$")]


class BeamConfig(Section):
    runner: Literal["in-process", "portable", "flink", "spark", "dataflow"] = "in-process"
    """What runs ingest, statistics, Transform and evaluation: this process (and workers), or a cluster's runner."""
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """In-process: how many processes Transform uses; auto: from 4 GB of images up one a core, else this one."""
    arguments: tuple[Argument, ...] = ()
    """The runner's own arguments, each such as --job_endpoint=127.0.0.1:8073."""
    retries: int = Field(0, ge=0, le=10)
    """How often a component is tried again that failed for the runner's reason, such as a worker that is gone."""
    timeout: Annotated[float, Field(gt=0)] | None = None
    """Minutes after which the runner is taken to hang over a component; null: a day, and never in-process."""

    @model_validator(mode="after")
    def _has_what_the_runner_needs(self) -> "BeamConfig":
        given = {argument.removeprefix("--").partition("=")[0] for argument in self.arguments}
        if "runner" in given:
            raise ValueError("arguments: --runner follows from beam.runner; leave it out")
        if self.runner == "in-process" and given & {"direct_num_workers", "direct_running_mode"}:
            raise ValueError("arguments: --direct_num_workers and --direct_running_mode follow from beam.workers")
        if self.runner != "in-process" and self.workers != "auto":
            raise ValueError(f"workers: are this machine's; how many {self.runner} uses, its arguments say")
        missing = [name for name in _NEEDED.get(self.runner, ()) if name not in given]
        if missing:
            why = _NEEDED[self.runner][missing[0]]
            raise ValueError(f"arguments: {self.runner} needs --{missing[0]}=... ({why})")
        return self

    @property
    def seconds(self) -> float | None:
        """What a component may take; None: as long as it wants."""
        if self.timeout is not None:
            return 60 * self.timeout
        return None if self.runner == "in-process" else _DAY

    @property
    def place(self) -> str:
        """The runner and where it is, in words."""
        values = dict(argument.removeprefix("--").partition("=")[::2] for argument in self.arguments)
        where = values.get(next(iter(_NEEDED.get(self.runner, ())), ""))
        return f"{self.runner} at {where}" if where else self.runner

    def args(self) -> list[str]:
        """Beam's arguments for every component."""
        if self.runner == "in-process":
            return [*IN_PROCESS, *self.arguments]
        return [f"--runner={_RUNNERS[self.runner]}", *self.arguments]

    def args_of_transform(self, size: int) -> list[str]:
        """Further ones for Transform, whose work on `size` bytes of images may be worth processes."""
        workers = self.workers
        if workers == "auto":
            workers = (os.cpu_count() or 1) if size >= _PROCESSES_PAY else 1
        if self.runner != "in-process" or workers == 1:
            return []
        return ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
