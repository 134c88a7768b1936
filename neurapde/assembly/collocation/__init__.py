"""Linear problems solved for the head at collocation points: any domain, any linear residual, by least squares."""
