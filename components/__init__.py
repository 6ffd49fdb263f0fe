"""A factory for each TFX component, in data order."""
