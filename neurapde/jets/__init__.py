"""A field's value and derivatives in one forward sweep through a network."""
