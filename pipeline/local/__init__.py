"""The local runner: runs the pipeline on this machine."""
