"""Readers for files that hold many images, one format a file."""
