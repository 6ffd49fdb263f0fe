"""The components that a cluster needs in place of what TFX's local metadata answers."""
