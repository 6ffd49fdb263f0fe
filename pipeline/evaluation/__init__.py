"""Measures of pushed models on any labeled images."""
