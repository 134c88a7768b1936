"""The declaration: what an equation is, and the problem that it stands in."""
