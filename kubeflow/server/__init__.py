"""Talks to the Kubeflow Pipelines server: submits, watches and lists runs."""
