"""The pipeline, its configuration, the local runner and the command line."""
