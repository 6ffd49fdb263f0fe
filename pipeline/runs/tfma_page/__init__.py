"""An HTML page with the interactive views of TFMA. It works without a notebook and without the network."""
