"""Reads, decodes, augments and batches the images of a training."""
