"""Searches hyperparameters with KerasTuner."""
