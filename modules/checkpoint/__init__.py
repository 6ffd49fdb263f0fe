"""Checkpoints: writes and restores the state of a training run."""
