"""A scientist changes one field of a declaration: by `dataclasses.replace`, for every declaration there is."""

import copy
import dataclasses
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import neurapde as npde
from neurapde.core.declaration import Declaration
from neurapde.late import everything

DISK = npde.Disk((0, 0), 0.1)
LEFT, RIGHT = npde.PointSource((0, 0)), npde.PointSource((0.5, 0))
SPECTRA: dict[str, Any] = {"sources": [[0, 0]], "receivers": [[1, 1]], "frequencies": [3.0]}
CHANGED: dict[str, tuple[Declaration, dict[str, Any], Declaration]] = {
    "the sides of a box": (
        npde.Box((0, 1), (0, 2), name="plate"),
        {"sides": ((0, 3), (0, 2))},
        npde.Box((0, 3), (0, 2), name="plate"),
    ),
    "the name of a box": (npde.Box((0, 1)), {"name": "rod"}, npde.Box((0, 1), name="rod")),
    "an end of an interval": (npde.Interval(0, 1, name="rod"), {"b": 2}, npde.Interval(0, 2, name="rod")),
    "the side of an interval": (npde.Interval(0, 1), {"sides": ((2, 3),)}, npde.Interval(2, 3)),
    "the background of a medium": (
        npde.Piecewise(1.0, (DISK, 2.0)),
        {"background": 3.0},
        npde.Piecewise(3.0, (DISK, 2.0)),
    ),
    "the pieces of a medium": (
        npde.Piecewise(1.0, (DISK, 2.0)),
        {"pieces": [(DISK, 4.0)]},
        npde.Piecewise(1.0, (DISK, 4.0)),
    ),
    "the shots": (npde.Shots(LEFT, RIGHT), {"entries": [RIGHT]}, npde.Shots(RIGHT)),
    "the frequencies of an inversion": (
        npde.seismic.Continuation([3.0], [4.0]),
        {"groups": [[5.0]]},
        npde.seismic.Continuation([5.0]),
    ),
}


def below(kind: type[Declaration]) -> Iterator[type[Declaration]]:
    """All kinds of declarations."""
    for further in kind.__subclasses__():
        yield further
        yield from below(further)


def kinds() -> list[type[Declaration]]:
    """Those of the package that can be made."""
    everything()
    return sorted(
        (
            kind
            for kind in set(below(Declaration))
            if kind.__module__.startswith("neurapde.") and not inspect.isabstract(kind)
        ),
        key=lambda kind: kind.__qualname__,
    )


@pytest.mark.parametrize("case", CHANGED.values(), ids=CHANGED)
def test_one_field_of_a_declaration_is_changed(
    case: tuple[Declaration, dict[str, Any], Declaration],
) -> None:
    declared, changes, expected = case
    assert dataclasses.replace(declared) == declared
    assert dataclasses.replace(declared, **changes) == expected
    if sys.version_info >= (3, 13):
        assert copy.replace(declared, **changes) == expected


def test_one_argument_of_a_survey_is_changed() -> None:
    survey = npde.Survey(**SPECTRA, data=[[[1 + 1j]]], name="line")
    changed = dataclasses.replace(survey, data=[[[2j]]], noise=0.1)
    assert (changed.name, changed.noise) == ("line", 0.1)
    assert changed.data.tolist() == [[[2j]]]
    assert survey.data.tolist() == [[[1 + 1j]]]


def test_a_change_is_checked_as_a_declaration_is() -> None:
    with pytest.raises(npde.DeclarationError, match="must increase"):
        dataclasses.replace(npde.Interval(0, 1), a=3)
    with pytest.raises(npde.DeclarationError, match="an Interval has one pair of ends"):
        dataclasses.replace(npde.Interval(0, 1), sides=((0, 1), (0, 1)))
    with pytest.raises(TypeError, match="Box has no argument 'size'"):
        dataclasses.replace(npde.Box((0, 1)), size=3)


def test_every_declaration_can_be_called_with_its_fields() -> None:
    """Either its arguments are its fields, or its `__init__` takes fields as well."""
    refused = [
        kind.__qualname__
        for kind in kinds()
        if not {item.name for item in dataclasses.fields(kind) if item.init}
        <= {
            name
            for name, parameter in inspect.signature(kind.__init__).parameters.items()
            if parameter.kind is not parameter.VAR_POSITIONAL
        }
        and not hasattr(kind.__init__, "__wrapped__")
    ]
    assert refused == []
