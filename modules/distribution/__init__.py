"""Trains on several devices and several machines."""
