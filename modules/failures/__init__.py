"""Failures of libraries and of the machine, explained in one line."""
