"""create_pipeline: the whole pipeline, from images to a pushed model."""

from typing import Any

from tfx import v1 as tfx

from efficientmixnet.pipeline.config.beam_config import IN_PROCESS
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.environment import Environment
from efficientmixnet.pipeline.nodes import Nodes

BEAM_ARGS = list(IN_PROCESS)


def create_pipeline(
    config: Config, fingerprint: Any, environment: Environment, use_cache: bool = True
) -> tfx.dsl.Pipeline:
    """Returns the pipeline of a resolved configuration.

    Args:
        config: A configuration that `resolve` has completed.
        fingerprint: The fingerprint of the images, or a placeholder for it. Cached results are used while it stays
            the same.
        environment: Where the pipeline runs.
        use_cache: Whether a component that has already run with the same inputs is skipped.
    """
    nodes = Nodes(config, fingerprint, environment)
    in_data_order = [
        nodes.examples,  # reads the images, and writes tf.Examples by split
        nodes.statistics,  # describes every feature of the examples
        nodes.schema,  # infers the features and their domains, or imports a schema
        nodes.previous_statistics,  # finds the statistics of the previous data (data.drift)
        nodes.validator,  # stops the run if the data has anomalies, drift or skew
        nodes.latest_examples,  # adds the examples of earlier spans (data.training_spans)
        nodes.transformed,  # resizes the images to the training size
        nodes.starting_model,  # finds the model that training starts from (network.weights: latest)
        nodes.search,  # searches hyperparameters (search.space)
        nodes.trained,  # trains the network, and exports it
        nodes.baseline,  # finds the latest blessed model
        nodes.evaluation,  # measures both models, and blesses the new one if it reaches the thresholds
        nodes.serving_check,  # calls each signature of the exported model with a few images
        nodes.infra_validator,  # does the same through TensorFlow Serving (serving.infra_validator)
        nodes.pushed,  # copies a blessed model to the folder of pushed models
        nodes.report,  # writes the report
    ]
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=f"{environment.folder}/artifacts",
        components=list(dict.fromkeys([*filter(None, in_data_order), *environment.lookups])),
        enable_cache=use_cache,
        metadata_connection_config=environment.metadata_config,
        beam_pipeline_args=config.beam.args(),
    )
