"""Networks as trial functions: layers of neurons, with weights of their own or from another network."""
