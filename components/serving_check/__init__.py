"""The ServingCheck component: checks that the exported model predicts the same as in training, without our code."""
