"""Which conditions hold on which face: what two of them contradict, and where one is missing."""

from collections.abc import Sequence

from neurapde.conditions.absorbing import Absorbing
from neurapde.conditions.base import Boundary
from neurapde.conditions.faces import FaceCondition
from neurapde.conditions.initial import InitialCondition
from neurapde.conditions.periodic import Periodic
from neurapde.conditions.pml import PML
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import INITIAL


def faces_of(part: Boundary, domain: Domain) -> tuple[str, ...]:
    """The faces of `domain` that a condition speaks of."""
    match part:
        case FaceCondition() | Absorbing():
            return domain.check_faces(part.on, "the condition")
        case PML():
            return tuple(part.widths(domain))
        case Periodic():
            return part.faces(domain)
        case InitialCondition():
            return (INITIAL,)
    return ()


def by_face(boundary: Sequence[Boundary], domain: Domain) -> dict[str, list[Boundary]]:
    """The conditions of every face, in the order of the declaration; none where nothing is said."""
    found: dict[str, list[Boundary]] = {face: [] for face in domain.faces}
    for part in boundary:
        for face in faces_of(part, domain):
            found[face].append(part)
    return found


def silent_faces(boundary: Sequence[Boundary], domain: Domain) -> list[str]:
    """The faces in space of which no condition speaks."""
    said = by_face(boundary, domain)
    return [face for face in domain.spatial.faces if not said[face]]


def check_contradictions(boundary: Sequence[Boundary], domain: Domain, one_each: bool) -> None:
    """Refuse two values of one kind on a face, and with `one_each` two conditions of any kind on a face in space.

    Conditions for different components of a field do not meet. The same condition twice says nothing new.
    """
    for face, parts in by_face(boundary, domain).items():
        for i, second in enumerate(parts):
            for first in parts[:i]:
                if _same(first, second) or not _meet(first, second):
                    continue
                if type(first) is type(second) or (one_each and face in domain.spatial.faces):
                    raise DeclarationError(
                        f"{face} has two conditions, {first.describe(domain)}, and {second.describe(domain)}, and no field "
                        "has both; give one, or name the faces of each with on=…"
                    )


def _same(first: Boundary, second: Boundary) -> bool:
    """Whether two conditions say the same, each of its faces."""
    where = {"on": None, "name": ""}
    return type(first) is type(second) and {**vars(first), **where} == {**vars(second), **where}


def _meet(first: Boundary, second: Boundary) -> bool:
    """Whether two conditions speak of one component of the field."""
    one, other = (
        part.component if isinstance(part, FaceCondition | InitialCondition) else None
        for part in (first, second)
    )
    return one is None or other is None or one == other
