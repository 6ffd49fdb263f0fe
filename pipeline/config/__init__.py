"""The configuration file: its sections, and the checks and messages of problems."""
