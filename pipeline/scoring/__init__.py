"""Predictions of a pushed model for new images."""
