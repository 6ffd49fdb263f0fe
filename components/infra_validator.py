"""InfraValidator: TensorFlow Serving loads the model and classifies a few images before the model is pushed."""

from typing import Any

from tfx import v1 as tfx

_IMAGES = 8
_TRIES = 2
_SECONDS = 300  # to start the server and to load the model, for each try
_NAME = "efficientmixnet"  # the model's name on the server


def infra_validator(
    model: tfx.types.BaseChannel,
    examples: tfx.types.BaseChannel,
    platform: str,
    image: str,
    tag: str,
    docker: str | None,
) -> tfx.components.InfraValidator:
    """Returns TFX's InfraValidator. The Pusher needs its `blessing` in addition to the Evaluator's.

    Args:
        model: The candidate model.
        examples: The images as ingested. Images of the evaluation split are sent to the signature `serving_examples`.
        platform: docker, for a container on this machine; or kubernetes, for a pod in the component's namespace.
        image: The name of TensorFlow Serving's container image.
        tag: The tag of the container image.
        docker: The address of the Docker daemon; None for its default socket.

    Raises:
        KeyError: The platform is unknown.
    """
    place: dict[str, Any] = {
        "docker": {"local_docker": tfx.proto.LocalDockerConfig(client_base_url=docker or "")},
        "kubernetes": {"kubernetes": tfx.proto.KubernetesConfig()},
    }[platform]
    return tfx.components.InfraValidator(
        model=model,
        examples=examples,
        serving_spec=tfx.proto.ServingSpec(
            tensorflow_serving=tfx.proto.TensorFlowServing(image_name=image, tags=[tag]),
            model_name=_NAME,
            **place,
        ),
        validation_spec=tfx.proto.ValidationSpec(max_loading_time_seconds=_SECONDS, num_tries=_TRIES),
        request_spec=tfx.proto.RequestSpec(
            tensorflow_serving=tfx.proto.TensorFlowServingRequestSpec(signature_names=["serving_examples"]),
            split_name="eval",
            num_examples=_IMAGES,
        ),
    )
