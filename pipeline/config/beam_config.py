"""BeamConfig: the section beam. It selects the Beam runner of the data components."""

import os
import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from efficientmixnet.modules.config.section import A_YEAR, Section

# If no runner is named, Beam first tries to download one. If no container image is named, TFX builds an archive of
# itself for every component, which nothing in this process needs.
IN_PROCESS = (
    "--runner=efficientmixnet.components.beam.in_process_runner.InProcessRunner",
    "--sdk_container_image=none",
)

_DAY = 86400.0  # seconds
_PROCESSES_PAY = 4 * 10**9  # bytes of images; with fewer, starting processes takes longer than they save
_RUNNERS = {
    "portable": "PortableRunner",
    "flink": "FlinkRunner",
    "spark": "SparkRunner",
    "dataflow": "DataflowRunner",
}
# The arguments that each runner requires, and what they are.
_NEEDED = {
    "portable": {"job_endpoint": "the job server, host:port", "environment_type": "how workers run our code"},
    "flink": {"flink_master": "Flink's REST address, host:port", "environment_type": "how workers run our code"},
    "spark": {"spark_master_url": "Spark's address, spark://host:port", "environment_type": "how workers run our code"},
    "dataflow": {
        "project": "the Google Cloud project",
        "region": "the Google Cloud region",
        "temp_location": "a gs:// folder",
    },
}

_ARGUMENT = re.compile(r"--[a-z][a-z0-9_]*(=.+)?")


class BeamConfig(Section):
    runner: Literal["in-process", "portable", "flink", "spark", "dataflow"] = "in-process"
    """The Beam runner of ImageExampleGen, StatisticsGen, Transform and Evaluator. in-process uses this machine only."""
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """The number of processes of Transform with the runner in-process. auto: one for each core if the images have 4 GB
    or more, else one."""
    arguments: tuple[str, ...] = ()
    """The arguments of the runner, such as --job_endpoint=127.0.0.1:8073. Secrets go into environment variables."""
    retries: int = Field(0, ge=0, le=10)
    """How many times a component is retried when the runner fails it, such as when a worker is lost."""
    timeout: Annotated[float, Field(gt=0, le=A_YEAR)] | None = None
    """The time limit of a component in minutes. null: one day, or no limit with the runner in-process."""

    @model_validator(mode="after")
    def _arguments_are_options(self) -> "BeamConfig":
        for number, argument in enumerate(self.arguments, 1):
            if not _ARGUMENT.fullmatch(argument):  # It may be a secret, so the message does not quote it.
                raise ValueError(f"arguments: number {number} should have the form --name or --name=value")
        return self

    @model_validator(mode="after")
    def _has_what_the_runner_needs(self) -> "BeamConfig":
        given = {argument.removeprefix("--").partition("=")[0] for argument in self.arguments}
        if "runner" in given:
            raise ValueError("arguments: remove --runner; beam.runner sets it")
        if self.runner == "in-process" and given & {"direct_num_workers", "direct_running_mode"}:
            raise ValueError("arguments: remove --direct_num_workers and --direct_running_mode; beam.workers sets them")
        if self.runner != "in-process" and self.workers != "auto":
            raise ValueError(
                f"workers: only for the runner in-process; set the workers of {self.runner} in beam.arguments"
            )
        missing = [name for name in _NEEDED.get(self.runner, ()) if name not in given]
        if missing:
            why = _NEEDED[self.runner][missing[0]]
            raise ValueError(f"arguments: {self.runner} needs --{missing[0]}=... ({why})")
        return self

    @property
    def seconds(self) -> float | None:
        """The time limit of a component in seconds. None: no limit."""
        if self.timeout is not None:
            return 60 * self.timeout
        return None if self.runner == "in-process" else _DAY

    @property
    def place(self) -> str:
        """The runner and its address, for messages."""
        values = dict(argument.removeprefix("--").partition("=")[::2] for argument in self.arguments)
        where = values.get(next(iter(_NEEDED.get(self.runner, ())), ""))
        return f"{self.runner} at {where}" if where else self.runner

    def args(self) -> list[str]:
        """Returns Beam's arguments for every component."""
        if self.runner == "in-process":
            return [*IN_PROCESS, *self.arguments]
        return [f"--runner={_RUNNERS[self.runner]}", *self.arguments]

    def args_of_transform(self, size: int) -> list[str]:
        """Returns additional arguments for Transform, which uses several processes for large datasets.

        Args:
            size: The size of all images together, in bytes.
        """
        workers = self.workers
        if workers == "auto":
            workers = (os.cpu_count() or 1) if size >= _PROCESSES_PAY else 1
        if self.runner != "in-process" or workers == 1:
            return []
        return ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
