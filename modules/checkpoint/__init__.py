"""Writes and restores the checkpoints of a training."""
