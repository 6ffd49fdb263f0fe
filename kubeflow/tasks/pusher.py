"""Pusher: copies a blessed model into the folder of pushed models, registers it, and says how the run ended.

It runs in every run: a cached task would name a model that may have been deleted since.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from efficientmixnet.components.report.model_card import CARD_FILES, model_card
from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE
from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.kubeflow.registry.model_registry import ModelRegistry
from efficientmixnet.kubeflow.registry.registration import registration_of
from efficientmixnet.kubeflow.registry.serving_uri import serving_uri
from efficientmixnet.kubeflow.run_result import result_of
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.kubeflow.tasks.task import Task
from efficientmixnet.modules.exceptions import EfficientMixNetError, ServerUnavailable
from efficientmixnet.modules.exported_model import SERVING_FOLDER
from efficientmixnet.modules.files.stored_file import made_again, read_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.local.revision import revision, versions


def run(task: Task) -> None:
    """Pushes a blessed model, unless it is there. `pushed_model` gets the same properties as TFX's Pusher's."""
    report, pushed_model = task.inputs["report"], task.outputs["pushed_model"]
    content = read_json(Path(report.path, CONTENT_FILE), made_again(report.uri))
    blessed = task.inputs["model_blessing"].properties.get("blessed") == 1
    place = _push(task) if blessed else None
    pushed_model.properties["pushed"] = int(blessed)
    card = "The model is not blessed, so it was not pushed and has no card.\n"
    registered = None
    if place:
        version = place.rpartition("/")[2]
        pushed_model.properties |= {"pushed_destination": place, "pushed_version": version}
        card = _write_card(content, place)
        registered = _register(task, content, place)
    write_text(Path(task.outputs["card"].path), card)
    result = result_of(content["verdict"], place, f"{report.uri}/{PAGE_FILE}", registered)
    for name, value in result.rows():
        print(f"{name:<13} {value}")
    print(result.to_line())


def _push(task: Task) -> str:
    model, folder = task.inputs["model"], task.parameters["pushed"]
    return f"{folder}/{PushedModels(folder).push(f'{model.path}/{SERVING_FOLDER}', model.uri)}"


def _register(task: Task, content: Mapping[str, Any], place: str) -> str | None:
    """Registers the pushed model, if the configuration names a registry. Returns what it is called there."""
    url = task.parameters.get("model_registry")
    if not url:
        return None
    if os.environ.get(ROOT_VARIABLE):
        print(f"not registered in {url}: this is a rehearsal", flush=True)
        return None
    uri = serving_uri(place, json.loads(task.parameters["volumes"]))
    code = {"revision": revision() or "installed", **versions()}
    report = f"{task.inputs['report'].uri}/{PAGE_FILE}"
    images = task.parameters["manifest"] or task.parameters["images"]
    one = registration_of(content, images, place, uri, task.inputs["model"].uri, report, code)
    try:
        number = ModelRegistry(url).register(one)
    except ServerUnavailable:
        print(f"the model was pushed to {place}, but not registered; the next run will register it", flush=True)
        raise
    except EfficientMixNetError:
        print(f"the model was pushed to {place}, but not registered; correct the error and run it again", flush=True)
        raise
    return f"{one.model} {one.version} in {url}, version {number}"


def _write_card(content: Mapping[str, Any], place: str) -> str:
    """Writes the card next to the model. A card that is there stays, since somebody may have edited it."""
    run = {"started": datetime.now(timezone.utc).isoformat(), "revision": revision(), "versions": versions()}
    texts = model_card(content, run, place.rpartition("/")[2])
    there = {file.name for file in object_store.files(place)}
    for name, text in zip(CARD_FILES, texts, strict=True):
        if name not in there:
            object_store.write_text(f"{place}/{name}", text)
    return texts[0]
