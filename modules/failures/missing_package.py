"""missing_package: names the extra of this project that installs a missing package."""

# By the name under which a package is imported. Every other one belongs to the pipeline.
_EXTRAS = {"jax": "jax", "jaxlib": "jax", "kubernetes": "kubeflow", "huggingface_hub": "timm", "safetensors": "timm"}
_BACKENDS = ("tensorflow", "jax", "torch")


def missing_package(error: ModuleNotFoundError, pipeline: bool = True) -> ModuleNotFoundError:
    """Returns the error with one line that says how to install the package. Errors in our own names stay as they are.

    Args:
        error: The error of an import.
        pipeline: Whether the pipeline needs the package. Otherwise it is the network library.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "efficientmixnet"):
        return error
    if not pipeline and package in _BACKENDS:
        return ModuleNotFoundError(
            f"Keras needs {package}, which is not installed; run pip install 'efficientmixnet[jax]' and set "
            "KERAS_BACKEND=jax, or run pip install 'efficientmixnet[export]' for TensorFlow",
            name=error.name,
        )
    extra = _EXTRAS.get(package, "pipeline")
    return ModuleNotFoundError(
        f"{package} is not installed; run pip install 'efficientmixnet[{extra}]'", name=error.name
    )
