"""Parts of trainings within a budget: a tiny network, a job, and a choice of devices that only counts images."""

from pathlib import Path
from typing import Any

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.training.training_job import TrainingJob

BLOCKS = ["r1_k3_s11_e1_i8_o8", "r1_k3_s22_e2_i8_o16"]
CUSTOM = {"variant": "custom", "blocks": BLOCKS, "stem_filters": 8, "head_filters": 16, "image_size": 16}


class OneDevice:
    """Stands for the choice of devices, where a test only counts images."""

    workers = 1
    worker = 0
    replicas = 1

    def batch_size(self, training: Any, images: int) -> int:
        return min(training.batch_size, images)


def job_for(records: str, checkpoints: Path, network: dict[str, Any], **training: Any) -> TrainingJob:
    """Returns the job that trains the network on these records."""
    config = ModelConfig.model_validate({"network": network, "training": {"batch_size": 16, **training}})
    return TrainingJob(
        config=config, labels=("a", "b"), train_files=(records,), eval_files=(records,), checkpoints=str(checkpoints)
    )
