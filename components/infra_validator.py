"""InfraValidator: TensorFlow Serving itself loads the model and names some images, before the model is pushed."""

from tfx import v1 as tfx

_IMAGES = 8
_TRIES = 2
_SECONDS = 300  # to start the server and to load the model, at each try
_NAME = "efficientmixnet"  # of the model within the server


def infra_validator(
    model: tfx.types.BaseChannel,
    examples: tfx.types.BaseChannel,
    platform: str,
    image: str,
    tag: str,
    docker: str | None,
) -> tfx.components.InfraValidator:
    """Its `blessing` is what Pusher needs beside Evaluator's.

    Args:
        model: The candidate.
        examples: As ingested; images of the evaluation split are sent to the signature `serving_examples`.
        platform: docker, on this machine; or kubernetes, beside the pod that the component runs in.
        image: TensorFlow Serving's.
        tag: The image's version.
        docker: Where Docker answers; None: at its usual socket.
    """
    if platform == "docker":
        place = {"local_docker": tfx.proto.LocalDockerConfig(client_base_url=docker or "")}
    else:
        place = {"kubernetes": tfx.proto.KubernetesConfig()}
    return tfx.components.InfraValidator(
        model=model,
        examples=examples,
        serving_spec=tfx.proto.ServingSpec(
            tensorflow_serving=tfx.proto.TensorFlowServing(image_name=image, tags=[tag]), model_name=_NAME, **place
        ),
        validation_spec=tfx.proto.ValidationSpec(max_loading_time_seconds=_SECONDS, num_tries=_TRIES),
        request_spec=tfx.proto.RequestSpec(
            tensorflow_serving=tfx.proto.TensorFlowServingRequestSpec(signature_names=["serving_examples"]),
            split_name="eval",
            num_examples=_IMAGES,
        ),
    )
