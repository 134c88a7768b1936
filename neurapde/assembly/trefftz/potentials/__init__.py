"""−aΔu + cu = f with a and c constant by region: corners, placement, loads, and the levels of Trefftz' method."""
