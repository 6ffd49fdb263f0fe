"""Runs a compiled package on this machine as a cluster would: rehearsal.py, with a driver and a launcher."""
