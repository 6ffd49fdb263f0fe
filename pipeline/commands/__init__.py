"""The commands of `efficientmixnet`."""
