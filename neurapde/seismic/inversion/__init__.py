"""The velocity from a survey: its parametrisation, the objective, and the run."""
