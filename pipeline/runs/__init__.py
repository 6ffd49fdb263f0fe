"""Finished runs: summaries, reports, comparisons and lineage."""
