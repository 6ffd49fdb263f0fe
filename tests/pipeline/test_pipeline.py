"""Tests of the pipeline's nodes: their order, and the inputs of Pusher."""

import re
from pathlib import Path

import pytest

from efficientmixnet.pipeline.config.config import Config


def _nodes(tmp_path, serving: dict) -> dict:
    from efficientmixnet.pipeline.environment import Environment
    from efficientmixnet.pipeline.pipeline import create_pipeline

    config = Config.model_validate({"serving": serving, "evaluation": {"thresholds": {"accuracy": 0.5}}})
    return {node.id: node for node in create_pipeline(config, "1", Environment(str(tmp_path))).components}


def test_by_default_pusher_needs_only_the_evaluators_blessing(tmp_path):
    nodes = _nodes(tmp_path, {})
    assert "InfraValidator" not in nodes
    assert set(nodes["Pusher"].inputs) == {"model", "model_blessing"}


@pytest.mark.parametrize("platform", ["docker", "kubernetes"])
def test_with_infra_validator_pusher_needs_both_blessings(tmp_path, platform):
    nodes = _nodes(tmp_path, {"infra_validator": platform, "tag": "2.19.0"})
    order = list(nodes)
    assert order.index("ServingCheck") < order.index("InfraValidator") < order.index("Pusher")
    served = nodes["InfraValidator"]
    assert nodes["Pusher"].inputs["infra_blessing"] is served.outputs["blessing"]
    assert served.inputs["examples"] is nodes["ImageExampleGen"].outputs["examples"]
    assert nodes["ServingCheck"] in served.upstream_nodes
    place = {"docker": "local_docker", "kubernetes": "kubernetes"}[platform]
    assert f'"{place}": {{}}' in served.exec_properties["serving_spec"]
    assert '"2.19.0"' in served.exec_properties["serving_spec"]
    assert '"serving_examples"' in served.exec_properties["request_spec"]


def test_the_diagram_in_the_readme_has_every_node_of_a_default_run(tmp_path):
    root = Path(__file__).parents[2]
    diagram = (root / "docs" / "data-path.svg").read_text(encoding="utf-8")
    (instead,) = re.findall(r"!\[(.*)\]\(docs/data-path\.svg\)", (root / "README.md").read_text(encoding="utf-8"))
    (title,) = re.findall(r"<title[^>]*>(.*)</title>", diagram)
    nodes = set(_nodes(tmp_path, {}))
    assert nodes <= set(re.findall(r"<text[^>]*>(.*)</text>", diagram))
    assert nodes <= set(re.findall(r"\w+", title))
    assert instead == f"The pipeline: {title[0].lower()}{title[1:]}"
