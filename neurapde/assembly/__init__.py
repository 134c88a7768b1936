"""Problems as linear systems: quadrature that respects interfaces, the lattice of sines, operators and their inverses."""
