"""The sections of the configuration that describe the network, its training and the search."""
