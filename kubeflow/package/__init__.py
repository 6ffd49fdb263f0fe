"""Compiles a configuration into a package for Kubeflow Pipelines."""
