"""Features that solve the equation, so that only the interfaces and sides of a problem remain.

If coefficients are constant by region, every region has functions that solve the equation in it. Their amplitudes are
the least-squares solution of the conditions on the curves between and around the regions: [u] = 0, [a ∂u/∂n] = 0, and
the conditions of faces (Trefftz' method). A known field in closed form has the load.

To add another equation:

1. `features/<name>.py`: its functions, `Features` with values and derivatives at points in NumPy: about the centre of a
   circle, outside and inside it, and at poles. `features/cylinder.py` is the example.
2. `<name>.py`: a `Family` that says where it applies (`obstacle`), its pieces, flux and rate, known fields of its loads
   (`known`, each a `Background`: a field with a jet), and which features it has. `helmholtz.py` is the example.
3. One entry in `FAMILIES` of `methods/trefftz.py`.

In three axes `space` has the regions, the levels, and the families; its functions are in `features/spherical.py`.

The core does the rest: `curves` and `regions` cut the domain into regions and panels, `rims` places rows and poles
along them for a level of a number of digits, `rows` writes the linear system, `levels` solves it with more and more
features, and `trial` is the sum as a trial function, which is saved and loaded like any other.
"""
