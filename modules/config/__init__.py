"""The configuration of the network, the training and the search."""
