"""What optimisers share: Jacobians by parameters, and normal equations."""
