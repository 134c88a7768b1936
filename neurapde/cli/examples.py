"""What the help of the commands shows to begin with."""

EXAMPLES = """examples:
  neurapde list                                     list the named problems
  neurapde run helmholtz-disk                       solve, compare, report into runs/helmholtz-disk
  neurapde run helmholtz-disk --set wavenumber=30   the same with another wavenumber
  neurapde run mine.py --method adam --steps 2000   a problem of your own, trained
  neurapde run fwi-disk                             invert the data of a survey, report the model
  neurapde fwi line.sgy --domain 0,4,0,1.5 …        the same with a survey of your own
  neurapde validate                                 are all errors below their tolerance?
  neurapde report runs/helmholtz-disk               show a saved report again
"""
RUN_EXAMPLES = """A FILE.py defines `problem`: a neurapde.Problem, or a function that returns one, as

  import neurapde as npde

  def problem(wavenumber=20.0):
      return npde.Problem(
          name="my-problem",
          domain=npde.Box((-1, 1), (-1, 1)),
          equation=npde.Helmholtz(wavenumber=wavenumber),
          sources=[npde.GaussianSource(at=(0, 0), variance=1e-4)],
          boundary=npde.PML(width=0.5),
      )

examples:
  neurapde run helmholtz-uniform
  neurapde run helmholtz-disk --set wavenumber=30 radius=0.15 source_at=-0.3,0.2 --out runs/k30
  neurapde run helmholtz-square --shape 513,513
  neurapde run helmholtz-uniform --method adam --steps 5000 --out runs/adam
  neurapde run helmholtz-uniform --method adam --steps 9000 --out runs/adam --resume
  neurapde run my_problem.py --set wavenumber=25
"""
