"""The in-process runner of Beam: what it does differently from Beam's own."""
