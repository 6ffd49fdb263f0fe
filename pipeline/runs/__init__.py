"""Finished runs: their summaries, reports and comparisons."""
