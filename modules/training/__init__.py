"""Training: from TFX's `run_fn` to Keras's `fit`."""
