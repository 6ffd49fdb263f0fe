"""The component Report: what came of a run, as one HTML page that needs nothing else."""
