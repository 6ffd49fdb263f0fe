"""The configuration file: its sections, how it is read, and how its mistakes are reported."""
