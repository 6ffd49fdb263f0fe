"""The section `search` as an Experiment of Katib, and what each of its trials runs."""
