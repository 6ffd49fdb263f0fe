"""The commands of `efficientmixnet`, by subject."""
