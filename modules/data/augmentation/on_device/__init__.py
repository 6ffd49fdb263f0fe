"""Augments batches in the training step, on the device, with random numbers that the reader has drawn."""
