"""Ways from what is seen of a field to its code."""
