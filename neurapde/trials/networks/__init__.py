"""Networks as trial functions: layers of neurons, plain or of weights that another network gives."""
