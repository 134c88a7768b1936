"""What `Galerkin` asks of equations on lattices of sines, and the equations that answer: one file each."""
