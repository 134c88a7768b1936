"""Whether a solution and a reference are of one declaration: numbers between two problems measure nothing."""

from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.storage.encoding import difference, encode
from neurapde.storage.fingerprint import fingerprints

FREE = ("name", "exact")
"""Parts of a problem that do not change its solution."""
WHOSE = ("in the problem that was solved", "in that of the reference")


def check_same(solved: Problem, referred: Problem) -> None:
    """Refuse a reference of another problem, and say what differs first (DeclarationError)."""
    if text := _difference(solved, referred):
        raise DeclarationError(
            f"the reference is of another problem: {text}. Give npde.reference of {solved.name} itself."
        )


def _difference(solved: Problem, referred: Problem) -> str | None:
    if solved is referred:
        return None
    one, other = encode(solved).tree["fields"], encode(referred).tree["fields"]
    for part in one:
        if part not in FREE and (text := difference(one[part], other[part], part, WHOSE)):
            return text
    made, again = ({part: fingerprints(getattr(p, part), part) for part in one} for p in (solved, referred))
    for part in one:
        for place in made[part] | again[part]:
            if part not in FREE and made[part].get(place) != again[part].get(place):
                return f"{place} is another function, or holds other values"
    return None
