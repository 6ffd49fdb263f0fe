"""Loads weights from files and from other libraries into a network."""
