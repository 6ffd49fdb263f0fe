"""TFMA's own interactive views as one HTML page that needs neither a notebook nor the network."""
