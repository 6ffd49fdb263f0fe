"""The components of a cluster. They replace what local runs look up in TFX's metadata."""
