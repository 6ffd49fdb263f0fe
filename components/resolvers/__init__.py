"""Resolver nodes: find the artifacts of earlier runs."""
