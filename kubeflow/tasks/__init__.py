"""What the cluster's own tasks do: copy, list and look up. They start fast, without TFX."""
