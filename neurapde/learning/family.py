"""A learned family of fields: conditioned on what is seen of a new one, sampled, interpolated, saved."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import at_points
from neurapde.core import checks
from neurapde.core.arrays import Array, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.equations.fit import Fit
from neurapde.learning import files as storage
from neurapde.learning.batches import PointSets, copied, padded
from neurapde.learning.dataset import Fields, SampledFields, item
from neurapde.learning.files import Learned
from neurapde.learning.testing import mean_square_errors
from neurapde.problem.problem import Problem
from neurapde.solution.solution import Solution
from neurapde.training.run.history import History
from neurapde.training.run.method import Status
from neurapde.training.run.stage import Stage

FOUND = "Conditioned: the field of the family that the encoder takes for what was seen."


@dataclass(frozen=True, eq=False)
class Member(Solution):
    """A field of a family. code: (latent,), which is not stored with the solution."""

    code: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Family(Learned):
    """A learned space of functions: `family.condition(points, values)` is a Solution.

    It has the trained model, the codes of the data set's fields, and a record of the training. Fields of the family
    are plain networks: they have gradients, and are saved and exported like any solution, without the family.
    """

    @property
    def status(self) -> Status:
        """How the training ended."""
        return self.stages[-1].status

    @property
    def history(self) -> History:
        """Losses by name against steps and seconds, in variances of the data."""
        return self.stages[-1].history

    @property
    def seconds(self) -> float:
        """Wall clock of the training."""
        return sum(stage.seconds for stage in self.stages)

    def condition(self, points: Array, values: Array) -> Solution:
        """The field of the family of which this is seen.

        points: (n, d), at least one. values: (n,), or (n, c); of the field itself, or of what the family was trained to see.
        Raises: DeclarationError for points and values that do not fit, or a family trained on other components.
        """
        started = time.perf_counter()
        code = self.encode(points, values)
        what = f"npde.learn, {self.made.encoder}, conditioned on {len(points)} points"
        problem = None
        if not self.made.apart and not self.made.complex:
            problem = Problem("conditioned", self.domain, Fit(values=at_points(points, targets=values)))
        return self._member(code, what, started, problem)

    def encode(self, points: Array, values: Array) -> np.ndarray:
        """The code (latent,) of what is seen of a field; arguments as of `condition`."""
        return to_numpy(self.encode_all([(points, values)])[0])

    def encode_all(self, seen: Sequence[tuple[Any, Any]]) -> Tensor:
        """The codes (fields, latent) of several fields at once, points and values of each."""
        with torch.no_grad():
            return self.model.codes(self.model.seen_scale.normal(self._seen(seen)))

    def field(self, code: Any) -> Solution:
        """The field of a code (latent,)."""
        given = checks.reals(code, "code")
        if given.shape != (self.model.space.latent,):
            raise DeclarationError(
                f"code has the shape {given.shape}; give {self.model.space.latent} numbers, as family.encode(points, values)"
            )
        return self._member(given, "npde.learn, the field of a code", time.perf_counter(), None)

    def fields(self, codes: Any, points: Array) -> np.ndarray:
        """The fields of several codes (fields, latent) at points (n, d): (fields, n), or (fields, n, c)."""
        with torch.no_grad():
            at = copied(points).to(self.model.like)
            outputs = self.model.space.values(copied(codes).to(self.model.like), at)
            outputs = outputs * self.model.scale.factor + self.model.scale.shift
        return to_numpy(outputs.squeeze(-1) if outputs.shape[-1] == 1 else outputs)

    def sample(self, seed: int = 0) -> Solution:
        """A field drawn from the normal distribution with the mean and covariance of the data set's codes."""
        checks.whole(seed, "seed", 0)
        codes = self.codes
        share = np.random.default_rng(seed).standard_normal(len(codes)) / np.sqrt(max(len(codes) - 1, 1))
        code = codes.mean(0) + share @ (codes - codes.mean(0))
        return self._member(code, f"npde.learn, drawn with seed {seed}", time.perf_counter(), None)

    def interpolate(self, a: Any, b: Any, at: float = 0.5) -> Solution:
        """The field with a code between those of two others.

        a, b: fields of this family, or codes (latent,). at: 0 for a, 1 for b.
        """
        share = checks.real(at, "at")
        code = (1 - share) * self._code(a, "a") + share * self._code(b, "b")
        return self._member(code, f"npde.learn, between two fields at {share:g}", time.perf_counter(), None)

    def mean_square_errors(self, fields: Fields, counts: Sequence[int | None], seed: int = 0) -> np.ndarray:
        """Mean square errors (counts,) of fields of another data set, each conditioned on some of its points.

        counts: numbers of observed points, the first ones in a random order of each field's points; None for all.
        Raises: DeclarationError for a family that observes something else than its fields' values.
        """
        checks.whole(seed, "seed", 0)
        for count in counts:
            checks.whole(1 if count is None else count, "counts")
        if self.made.apart:
            raise DeclarationError(
                "this family is conditioned on data other than field values; compare the data with family.condition(…)"
            )
        return mean_square_errors(self.model, fields, counts, seed)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the family to one HDF5 file, completely or not at all; `npde.load` reads it."""
        file = checks.path(path)
        if file.is_dir():
            raise DeclarationError(
                f"path={str(path)!r} is a folder; give the name of a file in it, such as faces.h5."
            )
        storage.write(file, self)
        return file

    def __str__(self) -> str:
        lines = [f"A family of {self.made.trial} on {self.domain}, from {self.made.fields} fields."]
        return "\n".join([*lines, f"Trained in {self.seconds:.1f} s. {self.status}", *self.notes])

    def _seen(self, seen: Sequence[tuple[Any, Any]]) -> PointSets:
        made = self.made
        corner = made.seen_bounds[0] if made.apart else made.bounds[0]
        given = []
        for points, values in seen:
            places, measured = checks.array(points, "points"), checks.array(values, "values", "buifc")
            if places.ndim != 2 or places.shape[1] != len(corner):
                raise DeclarationError(
                    f"points have the shape {places.shape}; give (n, {len(corner)}), at least one"
                )
            entry = item(SampledFields(self.domain, [((places), measured)]), 0) if not made.apart else None
            if entry is not None:
                places, measured = entry.points, entry.values
            measured = measured.reshape(len(places), -1)
            if measured.shape[1] != made.components or (np.iscomplexobj(measured) and not made.seen_complex):
                raise DeclarationError(
                    f"values have the shape {measured.shape} ({measured.dtype}); this family expects {made.components} "
                    f"{'complex' if made.seen_complex else 'real'} component(s)"
                )
            given.append((places, measured))
        return padded(given, self.model.like)

    def _code(self, given: Any, what: str) -> np.ndarray:
        if isinstance(given, Member) and given.code is not None:
            return given.code
        if isinstance(given, Solution):
            raise DeclarationError(
                f"{what} is a solution without a code, since it was loaded or solved; condition again, or give the code"
            )
        return checks.reals(given, what)

    def _member(self, code: np.ndarray, how: str, started: float, problem: Problem | None) -> Member:
        trial = self.model.space.field(torch.as_tensor(code).to(self.model.like), self.model.scale)
        stage = Stage(how, Status.CONVERGED, time.perf_counter() - started)
        missing = "" if problem is not None else "it is a field of a learned family"
        return Member(
            problem, self.domain, trial, (stage,), (FOUND,), "A field of a learned family.", missing, code
        )
