"""Reads and writes object stores: files, data records and pushed models."""
