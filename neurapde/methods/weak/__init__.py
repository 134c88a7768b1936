"""The interface of `Galerkin` to equations on lattices of sines, and these equations, one file each."""
