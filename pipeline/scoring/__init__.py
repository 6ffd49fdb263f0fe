"""Predictions of a pushed model for images on disk or in an object store."""
