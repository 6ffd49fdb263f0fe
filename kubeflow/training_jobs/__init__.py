"""Trains in many pods.

launch.py is the component Trainer: it submits a job (cluster_job.py) and follows its pods (workers.py). worker.py is
what each pod runs.
"""
