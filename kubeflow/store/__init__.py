"""Reads and writes object stores."""
