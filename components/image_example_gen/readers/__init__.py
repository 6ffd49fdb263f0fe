"""Readers of files with many images, one module for each format."""
