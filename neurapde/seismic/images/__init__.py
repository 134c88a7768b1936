"""What the data say of a model without an inversion, and how sure they are: gradients, migration, deviations, resolution."""
