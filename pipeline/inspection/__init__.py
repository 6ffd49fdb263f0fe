"""The command `efficientmixnet inspect`: a report on a dataset before training."""
