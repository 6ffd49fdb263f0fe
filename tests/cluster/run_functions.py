"""The run functions of the tests in a cluster. Every worker gets this file in a mounted Secret."""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

CLUSTER = json.loads(os.environ.get("TF_CONFIG", "{}"))


def train_and_keep_weights(fn_args: Any) -> None:
    """Trains with the project's run_fn. Every worker writes its weights to the store."""
    import keras
    import numpy as np

    from efficientmixnet.kubeflow.store import object_store
    from efficientmixnet.modules.trainer import run_fn

    fit = keras.Model.fit

    def fit_and_keep(model: Any, *arguments: Any, callbacks: list[Any], **named: Any) -> Any:
        printer = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, _: print(f"epoch {epoch + 1} is done", flush=True)
        )
        history = fit(model, *arguments, callbacks=[*callbacks, printer], **named)
        job = CLUSTER["cluster"]["worker"][0].removesuffix("-worker-0:2222")
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/weights.npz", *model.get_weights())
            place = f"minio://mlpipeline/weights/{job}/{CLUSTER['task']['index']}.npz"
            object_store.upload(f"{folder}/weights.npz", place)
        return history

    keras.Model.fit = fit_and_keep
    run_fn(fn_args)


def train_with_frequent_progress(fn_args: Any) -> None:
    """Trains with the project's run_fn, and prints the progress every second."""
    from efficientmixnet.kubeflow import progress_lines
    from efficientmixnet.modules.trainer import run_fn

    progress_lines._SECONDS = 1
    run_fn(fn_args)


def fail(_: Any) -> None:
    """A training that fails."""
    print("the last line before the error", flush=True)
    raise ArithmeticError("the images are all blue")


def take_long(fn_args: Any) -> None:
    """Waits for SECONDS_TO_TAKE seconds instead of training."""
    for second in range(int(os.environ["SECONDS_TO_TAKE"])):
        print(f"second {second}", flush=True)
        time.sleep(1)
    Path(fn_args.serving_model_dir).mkdir(parents=True, exist_ok=True)
    Path(fn_args.serving_model_dir, "saved_model.pb").write_text("a model")
