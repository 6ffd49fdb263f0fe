"""The Tuner component: searches for hyperparameters before training."""
