"""Training on residuals at points: objective, points, weights, schedules, diagnostics."""
