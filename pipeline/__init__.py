"""The configuration, the pipeline, its local runner and the command line."""
