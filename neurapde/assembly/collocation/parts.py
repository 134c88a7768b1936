"""The parts of a domain, each with its own frame: the pieces of the medium, cut where slabs cross them.

A frame is smooth, so a common frame on both sides of a thin slab would have to be smooth through it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from neurapde.assembly.collocation.corners import corners_of
from neurapde.domains import Box, Disk, Domain
from neurapde.fields.medium import Constant
from neurapde.operators.fractional_laplacian import ball_of
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.spectral.modes import AxisModes
from neurapde.spectral.weak import Piece
from neurapde.training.optimisation.lengths import axis_lengths
from neurapde.trials.edge_powers import EdgePowers
from neurapde.trials.fourier_extension import Corner, FourierExtension, Multipoles
from neurapde.trials.piecewise import Part
from neurapde.trials.start_powers import StartPowers

SAME = 1e-12
"""Of the domain's size: planes that are nearer are one."""


@dataclass(frozen=True)
class Layout:
    """One part of the domain: its regions, the box around it, and the functions of its corners and holes.

    starts: axes with the powers of the distance from their start in its field. edges: the powers at its edge.
    """

    within: tuple[Domain, ...]
    outside: tuple[Domain, ...]
    box: tuple[tuple[float, ...], tuple[float, ...]]
    extra: tuple[Corner | Multipoles, ...]
    lengths: tuple[float, ...]
    starts: tuple[tuple[int, tuple[float, ...]], ...] = ()
    edges: tuple[EdgePowers, ...] = ()

    def part(self, modes: float, margin: float) -> Part:
        """This part with `modes` along the longest axes, and about as many per length along others.

        The others also get more at each level, because it must be tested that a short axis needs few.
        """
        sides = np.subtract(self.box[1], self.box[0]) / self.lengths
        counts = tuple(max(5, round(3 + modes / 4), round(modes * side**0.5)) for side in sides)
        powers = [self._powers(axis, exponents, counts, margin) for axis, exponents in self.starts]
        edges = [self._edge(edge, counts, margin) for edge in self.edges]
        extra = (*self.extra, *powers, *edges)
        return Part(self.within, self.outside, FourierExtension(counts, margin, extra, self.box))

    def _edge(self, edge: EdgePowers, counts: tuple[int, ...], margin: float) -> EdgePowers:
        """Powers at the edge times polynomials, as many as sines, and the sines of a time."""
        space = len(edge.center)
        degree = counts[0] if space == 1 else counts[0] // 2
        time = self._sines(space, counts, margin) if len(counts) > space else None
        return replace(edge, degree=degree, time=time)

    def _powers(
        self, axis: int, exponents: tuple[float, ...], counts: tuple[int, ...], margin: float
    ) -> StartPowers:
        """Powers along an axis, whose number grows with the sines, times the sines of the others."""
        low, high = (end[axis] for end in self.box)
        others = tuple(self._sines(other, counts, margin) for other in range(len(counts)) if other != axis)
        return StartPowers(axis, low, high - low, exponents[: counts[axis] // 3], others)

    def _sines(self, axis: int, counts: tuple[int, ...], margin: float) -> AxisModes:
        """The sines of one axis, on an interval that is longer by the margin."""
        low, high = (end[axis] for end in self.box)
        pad = margin * (high - low) / 2
        return AxisModes(low - pad, high + pad, counts[axis], (True, True))


def layouts_of(problem: Problem) -> list[Layout]:
    """The parts of a problem's domain, one or more for each piece of its medium."""
    transmission = problem.equation.transmission(problem)
    pieces = (Piece((), (), Constant(0.0)),) if transmission is None else transmission.pieces
    corners = () if problem.equation.order > 2 else corners_of(problem.domain, problem.sides)
    lengths = tuple(axis_lengths(problem).tolist())
    bent = transmission is not None and not isinstance(transmission.flux, Constant)
    layouts = [
        layout for piece in pieces for layout in _of_piece(problem.domain, piece, corners, lengths, bent)
    ]
    starts, edges = _starts(problem), _edges(problem)
    return [replace(layout, starts=starts, edges=edges) for layout in layouts]


def _edges(problem: Problem) -> tuple[EdgePowers, ...]:
    """Functions of the boundary for the powers of the distance from it that an equation's operators cause."""
    if not isinstance(problem.equation, Equation):
        return ()
    operators = [operator for operator in problem.equation.operators if operator.edge()]
    balls = [(ball_of(problem.domain, operator.describe()), operator.edge()) for operator in operators]
    return tuple(dict.fromkeys(EdgePowers(*ball, power, 1) for ball, power in balls))


def _starts(problem: Problem) -> tuple[tuple[int, tuple[float, ...]], ...]:
    """The axes along which an equation's operators cause powers of the distance from the start, and these powers."""
    if not isinstance(problem.equation, Equation):
        return ()
    powers = [operator.starts(problem.domain) for operator in problem.equation.operators]
    return tuple(dict.fromkeys((axis, exponents) for axis, exponents in powers if exponents))


def _of_piece(
    domain: Domain, piece: Piece, corners: tuple[Corner, ...], lengths: tuple[float, ...], bent: bool
) -> Iterator[Layout]:
    """The parts of one piece: each side of the slabs that cross it; bent: whether the slope jumps between pieces."""
    lower, upper = (np.array(corner, dtype=float) for corner in domain.bounds)
    close = SAME * max(domain.extents)
    for region in piece.within:
        lower, upper = np.maximum(lower, region.bounds[0]), np.minimum(upper, region.bounds[1])
    for outside, low, high in _sides(piece.outside, lower, upper, close):
        cut = bool(np.any(low > lower) or np.any(high < upper))
        within = (*piece.within, Box(*zip(low.tolist(), high.tolist(), strict=True))) if cut else piece.within
        extra: list[Corner | Multipoles] = []
        if not piece.within:
            extra += [
                corner
                for corner in corners
                if np.all((corner.at >= low - close) & (corner.at <= high + close))
            ]
            extra += [
                Multipoles((float(hole.center[0]), float(hole.center[1])), float(hole.radius))
                for hole in outside
                if isinstance(hole, Disk)
            ]
        if bent and within and isinstance(domain, Box) and all(isinstance(region, Box) for region in within):
            extra += _where_interfaces_end(domain, low, high, close)
        yield Layout(within, outside, (tuple(low.tolist()), tuple(high.tolist())), tuple(extra), lengths)


def _sides(
    outside: tuple[Domain, ...], lower: np.ndarray, upper: np.ndarray, close: float
) -> Iterator[tuple[tuple[Domain, ...], np.ndarray, np.ndarray]]:
    """The remaining parts of a box after boxes that cross it from side to side: other regions, and the corners of each
    part.

    A region that does not touch a part is left out there.
    """
    touching = tuple(region for region in outside if _overlap(region, lower, upper, close))
    for region in touching:
        if not isinstance(region, Box):
            continue
        a, b = region.bounds
        below, above = a > lower + close, b < upper - close
        open_ = np.flatnonzero(below | above)
        if len(open_) > 1:
            continue
        rest = tuple(neighbour for neighbour in touching if neighbour != region)
        for axis in open_:
            if below[axis]:
                yield from _sides(rest, lower, np.where(np.arange(len(a)) == axis, a, upper), close)
            if above[axis]:
                yield from _sides(rest, np.where(np.arange(len(a)) == axis, b, lower), upper, close)
        return
    yield touching, lower, upper


def _overlap(region: Domain, lower: np.ndarray, upper: np.ndarray, close: float) -> bool:
    a, b = region.bounds
    return bool(np.all(np.minimum(b, upper) - np.maximum(a, lower) > close))


def _where_interfaces_end(
    domain: Box, lower: np.ndarray, upper: np.ndarray, close: float
) -> Iterator[Corner]:
    """The corners of a box in a plane one at which its edge meets a side of the domain: an interface may end there.

    For any contrast, the exponents are those of a straight line with values or slopes given on both sides.
    """
    if domain.dimension != 2:
        return
    size = float(np.max(upper - lower))
    for turn, (i, j) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
        at = np.array(((lower, upper)[i][0], (lower, upper)[j][1]))
        on = np.minimum(np.abs(at - domain.bounds[0]), np.abs(at - domain.bounds[1])) <= close
        if np.sum(on) == 1:
            yield Corner((float(at[0]), float(at[1])), turn * np.pi / 2, np.pi / 2, size, mixed=True)
