"""Features that solve the equation: what is left of a problem are its interfaces and its sides.

Where coefficients are constant by region, every region has functions that solve the equation within it; their amplitudes
are the least-squares solution of what is asked for on the curves between and around the regions: [u] = 0, [a ∂u/∂n] = 0,
and the conditions of faces (Trefftz' method). A load is met by a known field, in closed form.

How another equation plugs in:

1. `features/<name>.py`: its functions, `Features` with values and derivatives at points in NumPy: about the centre of a
   circle, outside and inside it, and at poles. `features/cylinder.py` is the example.
2. `<name>.py`: a `Family` that says where it applies (`obstacle`), its pieces, flux and rate, known fields of its loads
   (`known`, each a `Background`: a field with a jet), and which features it has. `helmholtz.py` is the example.
3. One entry in `FAMILIES` of `methods/trefftz.py`.

In three axes `space` has the regions, the levels, and the families; its functions are in `features/spherical.py`.

The rest is the core's: `curves` and `regions` cut the domain into regions and panels, `rims` places rows and poles along
them for a level of so many digits, `rows` writes the linear system, `levels` solves it with more and more features,
and `trial` is the sum as a trial function, which saves and loads as any other.
"""
