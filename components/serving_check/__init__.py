"""The component ServingCheck: what is pushed answers, without any of our code, as it did in training."""
