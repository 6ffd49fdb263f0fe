"""Searches with Katib: the Experiment, and the program of its trials."""
