"""Runs a compiled package on this machine as a cluster would."""
