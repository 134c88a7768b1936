"""A field on a domain to be looked at: `plot`, `animate`, `to_xarray`, `to_dataframe`, alike for whatever solved it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks, pictures
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import SpaceTime
from neurapde.problem import tables
from neurapde.problem.problem import Problem
from neurapde.storage.sampled import Sampled, held_axes, sampled

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

PARTS = ("real", "imag", "abs", "phase")
FRAMES = 60


class FieldView(ABC):
    """A field that knows where it lives."""

    @abstractmethod
    def __call__(self, points: Any, *others: Any) -> Any:
        """The field at points `(n, d)`: `(n,)`, or `(n, c)` for c components; u(X, Y) at the nodes of a grid."""

    @property
    @abstractmethod
    def _place(self) -> tuple[Domain, Problem | None]:
        """The domain, and the problem where it is known. Raises: DeclarationError where there is no domain."""

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        component: int | None = None,
        part: str | None = None,
        at: Mapping[str, float] | float | None = None,
        shape: int | Sequence[int] | None = None,
    ) -> "Axes":
        """Draw the field: lines over one axis, colours over two.

        ax: axes of matplotlib to draw into; None for a new figure.
        component: which one of a field with several, or which shot, from 0; the first unless given.
        part: "real", "imag", "abs" or "phase" of a complex field; by default the real part, over one axis both.
        at: coordinates to hold, `{"t": 0.5}`, or a number for the last axis. Of more than two axes those beyond the second
            are held in their middle unless given; the title says where.
        shape: nodes of each axis that is drawn.
        Returns the axes. Blue to red is drawn about zero, dark blue to yellow what is nowhere negative; grey is outside.
        """
        domain, problem = self._place
        held = held_axes(domain, at)
        free = [name for name in domain.axes if name not in held]
        middle = _middle(domain)
        held |= {name: middle[name] for name in free[2:]}
        samples = sampled(self, domain, shape, held)
        values, label = _one(samples, problem, component, part)
        title = ", ".join(
            text for text in (problem.name if problem is not None else "", samples.where) if text
        )
        return pictures.fields.draw(
            pictures.panels.axes_of(ax),
            samples.axes,
            values,
            label=label,
            part=part,
            title=title,
            regions=_outlines(problem, samples),
            in_time=isinstance(domain, SpaceTime) and "t" in samples.axes,
        )

    def animate(
        self,
        ax: "Axes | None" = None,
        *,
        component: int | None = None,
        part: str | None = None,
        frames: int = FRAMES,
        shape: int | Sequence[int] | None = None,
    ) -> "FuncAnimation":
        """The field over its time as a film with axes, one scale for all pictures and the time above.

        In a notebook `HTML(solution.animate().to_jshtml())` shows it; `.save("wave.gif", writer="pillow")` writes it.
        component, part: as in `plot`. frames: number of pictures. shape: nodes of each axis that is drawn, the first two.
        Raises: DeclarationError for a field without time.
        """
        domain, problem = self._place
        if not isinstance(domain, SpaceTime):
            raise DeclarationError(
                f"there is no time to animate: the domain is {domain}; draw the field with plot(), or declare "
                "domain.over(npde.Time(…))."
            )
        checks.whole(frames, "frames", 2)
        moments = np.linspace(domain.time.start, domain.time.stop, frames)
        middle = _middle(domain)
        held = {name: middle[name] for name in domain.space.axes[2:]}
        planes = [sampled(self, domain, shape, {**held, "t": float(moment)}) for moment in moments]
        shown = [_one(plane, problem, component, part) for plane in planes]
        return pictures.animations.animated(
            pictures.panels.axes_of(ax),
            planes[0].axes,
            np.stack([values for values, _ in shown]),
            moments,
            label=shown[0][1],
            part=part,
            title=problem.name if problem is not None else "",
        )

    def to_xarray(
        self,
        shape: int | Sequence[int] | None = None,
        *,
        at: Mapping[str, float] | float | None = None,
    ) -> Any:
        """The field on a regular grid as an `xarray.DataArray` with named axes; NaN outside the domain.

        shape: nodes of each axis; at: coordinates to hold, as in `plot`. Several components have an axis "component".
        Raises: ModuleNotFoundError without xarray, which `pip install neurapde[tables]` brings.
        """
        domain, problem = self._place
        samples = sampled(self, domain, shape, at)
        return tables.data_array(samples, "u" if problem is None else problem.name)

    def to_dataframe(
        self,
        shape: int | Sequence[int] | None = None,
        *,
        at: Mapping[str, float] | float | None = None,
    ) -> Any:
        """The field at the nodes inside the domain as a `pandas.DataFrame`: a column for each axis, then the values.

        A complex field u has the columns u_re, u_im and u_abs; several components are u_0, u_1, ….
        shape, at: as in `to_xarray`. Raises: ModuleNotFoundError without pandas; `pip install neurapde[tables]` brings it.
        """
        domain, _ = self._place
        return tables.data_frame(sampled(self, domain, shape, at))


def _one(
    samples: Sampled, problem: Problem | None, component: int | None, part: str | None
) -> tuple[NDArray, str]:
    """One component of the values and what it is called. Raises: DeclarationError for one that there is not."""
    columns, label = samples.columns, "u"
    count = columns.shape[-1]
    if part is not None and part not in PARTS:
        raise DeclarationError(
            f"part={checks.shown(part)}: give one of {', '.join(map(repr, PARTS))}, or None."
        )
    if part in ("imag", "phase") and not np.iscomplexobj(columns):
        raise DeclarationError(f"part={part!r} is for complex fields, but this field is real; leave it out.")
    index = 0 if component is None else checks.whole(component, "component", 0)
    if index >= count:
        there = "one component, number 0" if count == 1 else f"the components 0 to {count - 1}"
        raise DeclarationError(f"component={index}: the field has {there}; give one of these.")
    if count > 1:
        shots = problem is not None and len(problem.right_hand_sides) > 1
        label = f"u of shot {index + 1}" if shots else f"u[{index}]"
    return columns[..., index], label


def _middle(domain: Domain) -> dict[str, float]:
    """The middle of each axis by its name."""
    lower, upper = domain.bounds
    return dict(zip(domain.axes, (0.5 * (lower + upper)).tolist(), strict=True))


def _outlines(problem: Problem | None, samples: Sampled) -> list[NDArray]:
    """Signed distances of the medium's regions in the plane that is drawn."""
    if problem is None or len(samples.axes) != 2:
        return []
    every = problem.regions.values()
    return [np.asarray(region.signed_distance(samples.points)).reshape(samples.shape) for region in every]
