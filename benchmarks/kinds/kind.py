"""A kind of problem: a function that declares one, and what is known of its solution."""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import neurapde as npde

COLUMNS = 100

Values = Callable[[Any], Any]
"""Points (n, d) to values (n,) or (n, components)."""


class Told(NamedTuple):
    """A problem, and the truth: of its field, its unknown numbers and its unknown fields, as far as known.

    places: points at which one component is published, its number, and the values.
    """

    problem: npde.Problem
    field: Values | None = None
    numbers: Mapping[str, float] = {}
    fields: Mapping[str, Values] = {}
    places: tuple[Any, int, Any] | None = None


@dataclass(frozen=True)
class Kind:
    """declare: returns a Told, a problem with its truth."""

    name: str
    declare: Callable[[], Told]

    @property
    def lines(self) -> int:
        """Lines of the declaration at 100 columns, without its name, its docstring and the truth that it returns."""
        source = textwrap.dedent(inspect.getsource(self.declare))
        (tree,) = ast.parse(source).body
        assert isinstance(tree, ast.FunctionDef)
        statements = [
            statement
            for statement in tree.body[:-1]
            if not isinstance(statement, ast.FunctionDef) or statement.name != "truth"
        ]
        parts = [ast.get_source_segment(source, statement) or "" for statement in statements]
        lines = [line for segment in parts[1:] for line in segment.splitlines() if line.strip()]
        return sum(math.ceil(len(line) / COLUMNS) for line in lines)


class Kinds(list[Kind]):
    """The kinds of one file, in its order."""

    def __call__(self, declare: Callable[[], Told]) -> Callable[[], Told]:
        """A decorator that adds a declaration, named by its function."""
        self.append(Kind(declare.__name__.replace("_", "-"), declare))
        return declare


def relative(values: Any, truth: Any) -> float:
    """Relative L2 error, that of the worst component that is not nothing."""
    values, truth = (np.asarray(array).reshape(len(truth), -1) for array in (values, truth))
    sizes = np.linalg.norm(truth, axis=0)
    off = np.linalg.norm(values - truth, axis=0)
    return float(max(off[i] / (sizes[i] or sizes.max()) for i in range(len(sizes))))
