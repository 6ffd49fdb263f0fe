"""The hyperparameter search, on KerasTuner."""
