"""Artifacts: the type of an executor's inputs and outputs in TFX, artifacts by name."""

from tfx import types

Artifacts = dict[str, list[types.Artifact]]
