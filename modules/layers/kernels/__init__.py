"""Faster forms of operations that TensorFlow or JAX compute slowly on CPUs."""
