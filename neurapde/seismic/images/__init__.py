"""Images without an inversion, and the uncertainty of a model: gradients, migration, deviations, resolution."""
