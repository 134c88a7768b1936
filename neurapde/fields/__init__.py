"""Functions of space and time: media, sources, pulses, values on grids, and where a function jumps."""
