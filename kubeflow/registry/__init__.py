"""Registers pushed models in Kubeflow's Model Registry."""
