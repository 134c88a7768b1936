"""The report of an inversion: the comparison with a classical inversion of the same data, and with the truth if known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import aligned, listing, number
from neurapde.core.pictures.html import card, table
from neurapde.seismic.inversion.invert import inverted
from neurapde.seismic.inversion.methods.continuation import Continuation, stages_of
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.result import Inversion, Posterior
from neurapde.seismic.inversion.velocity import true_speed
from neurapde.storage import hdf5
from neurapde.training.run.files import columns
from neurapde.training.run.history import History
from neurapde.validation.folder import SavedReport
from neurapde.validation.inversions.comparison import (
    Account,
    InversionComparison,
    Waves,
    measured,
    short_name,
)
from neurapde.validation.inversions.figures import pictures
from neurapde.validation.pages.page import Block, facts, grid, notes, titled, verbatim

QUANTILES = (0.15, 0.5, 0.85)
"""Wells stand where these parts of all change of the model lie to their left."""
_ARRAYS = ("start", "free", "sources", "receivers", "observed", "frequencies", "times", "live")


class InversionReport(InversionComparison, SavedReport):
    """The comparison of an inversion with its text, `str(report)`, and its folder, `report.save(folder)`."""

    kind = "inversion report"

    def __repr__(self) -> str:
        return f"<InversionReport {self.title!r}: {self.headline}>"

    def _repr_html_(self) -> str:
        return card(
            f"Inversion report {self.title}",
            [("outcome", self.headline)],
            self.notes,
            table(self.table),
        )

    def _lines(self) -> list[str]:
        descriptions = [
            f"{name}: {account.method}. {account.status}" for name, account in self.accounts.items()
        ]
        return ["", *aligned(self.table), "", *descriptions, *([self.certainty] if self.certainty else [])]

    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG)."""
        return pictures(self)

    def _summary(self) -> list[Block]:
        return [grid(self.table), *([notes((self.certainty,))] if self.certainty else [])]

    def _sections(self) -> list[Block]:
        parts = [titled("The survey"), verbatim(self.survey), titled("The model"), verbatim(self.model)]
        parts.append(titled("How the model was found"))
        for name, account in self.accounts.items():
            rows = (
                ("method", account.method),
                ("status", account.status),
                ("unknowns", str(account.parameters)),
            )
            parts += [titled(name, 3), facts(rows), notes(account.notes)]
        return parts

    def _tree(self) -> dict[str, Any]:
        return {
            "survey": self.survey,
            "model": self.model,
            "methods": {
                name: {
                    "method": account.method,
                    "status": account.status,
                    "seconds": account.seconds,
                    "parameters": account.parameters,
                    "measures": dict(account.measures),
                    "ends": list(account.ends),
                    "notes": list(account.notes),
                }
                for name, account in self.accounts.items()
            },
            "yardsticks": {name: dict(measures) for name, measures in self.yardsticks.items()},
            "downwards": self.downwards,
            "wells": list(self.wells),
            "sure": self.sure,
            "waves": None if self.waves is None else [self.waves.title, *self.waves.source],
        }

    def _fill(self, file: h5py.File) -> None:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"axis {i}": axis for i, axis in enumerate(self.axes)}
        if self.truth is not None:
            arrays["truth"] = self.truth
        if self.deviation is not None:
            arrays["deviation"] = self.deviation
        if self.surface is not None:
            arrays["surface"] = self.surface
        hdf5.put_arrays(file, "model", arrays)
        if self.waves is not None:
            waves: dict[str, np.ndarray] = {"own": self.waves.own, "grid": self.waves.grid}
            waves |= {f"axis {i}": axis for i, axis in enumerate(self.waves.axes)}
            hdf5.put_arrays(file, "waves", waves)
        for name, account in self.accounts.items():
            group = f"methods/{name}"
            hdf5.put_arrays(file, f"{group}/found", {"speed": account.speed, "predicted": account.predicted})
            hdf5.put_arrays(file, f"{group}/history", columns(account.history))
            rows = {str(i): account.history[column] for i, column in enumerate(account.history.names)}
            hdf5.put_arrays(file, f"{group}/parts", rows)
            hdf5.put_json(file, f"{group}/names", account.history.names)

    @classmethod
    def _of_files(cls, tree: Mapping[str, Any], file: h5py.File) -> Self:
        return cls(**_fields_of(tree, file))


def _fields_of(tree: Mapping[str, Any], file: h5py.File) -> dict[str, Any]:
    """The fields of the report from its JSON and its arrays."""
    arrays = hdf5.get_arrays(file, "model")
    waves = None
    if tree["waves"] is not None:
        title, *source = tree["waves"]
        fields = hdf5.get_arrays(file, "waves")
        waves = Waves(
            (fields["axis 0"], fields["axis 1"]), fields["own"], fields["grid"], title, tuple(source)
        )
    return {
        **{name: arrays[name] for name in _ARRAYS},
        "axes": (arrays["axis 0"], arrays["axis 1"]),
        "truth": arrays.get("truth"),
        "deviation": arrays.get("deviation"),
        "surface": arrays.get("surface"),
        "sure": tree.get("sure", ""),
        "accounts": {name: _account(file, name, entry) for name, entry in tree["methods"].items()},
        "waves": waves,
        "wells": tuple(tree["wells"]),
        "notes": tuple(tree["notes"]),
        "made": tree.get("made", {}),
        **{name: tree[name] for name in ("title", "survey", "model", "yardsticks", "downwards", "versions")},
    }


def _account(file: h5py.File, name: str, tree: Mapping[str, Any]) -> Account:
    group = f"methods/{name}"
    arrays = hdf5.get_arrays(file, f"{group}/found")
    rows = hdf5.get_arrays(file, f"{group}/parts")
    parts = {column: rows[str(i)] for i, column in enumerate(hdf5.get_json(file, f"{group}/names"))}
    return Account(
        method=tree["method"],
        status=tree["status"],
        seconds=tree["seconds"],
        parameters=tree["parameters"],
        speed=arrays["speed"],
        predicted=arrays["predicted"],
        measures=tree["measures"],
        history=History(**hdf5.get_arrays(file, f"{group}/history"), constraints=parts),
        ends=tuple(tree["ends"]),
        notes=tuple(tree["notes"]),
    )


def inversion_report(
    inversion: Inversion,
    *,
    true: Any = None,
    classical: Inversion | bool = True,
    uncertainty: Posterior | None = None,
    progress: bool = True,
) -> InversionReport:
    """Compare an inversion with a classical one of the same data, with a finer grid, and with the truth if it is known.

    true: the true speed: a number, a function of points, a GridField, a Piecewise; None if unknown.
    classical: an inversion for comparison; True to make one, by `Adjoint` with the same bounds, prior, misfit, window
        and stages (not for an `Adjoint` or a method in time); False for none.
    uncertainty: the result of `npde.seismic.uncertainty` for this inversion, to show; None to leave it out.
    Raises: DeclarationError for a `classical` of other data, or an `uncertainty` of another inversion.
    """
    checks.kind(
        uncertainty, "uncertainty", Posterior | None, "make one by npde.seismic.uncertainty(inversion, …)"
    )
    checks.kind(inversion, "inversion", Inversion, "make one by npde.invert(…)")
    checks.flag(progress, "progress")
    checks.kind(classical, "classical", Inversion | bool, "give an Inversion, True or False")
    truth = None if true is None else true_speed(true, inversion.setting.domain.region)
    beside, beside_notes = _beside(inversion, classical, progress)
    measurements = measured(inversion, beside, truth)
    if uncertainty is not None:
        measurements |= _deviations(inversion, uncertainty, measurements["axes"])
    setting, survey = inversion.setting, inversion.survey
    shown = (
        measurements["accounts"][short_name(inversion.method)].speed
        if truth is None
        else measurements["truth"]
    )
    return InversionReport(
        **measurements,
        title=setting.survey.name,
        survey=str(setting.survey),
        model=f"{setting.domain.describe()}\n{_velocity(inversion)}",
        sources=setting.survey.sources,
        receivers=setting.survey.receivers,
        downwards=inversion.downwards,
        surface=inversion.surface,
        wells=_wells(measurements["axes"][0], shown - measurements["start"], measurements["free"]),
        observed=survey.record.values,
        frequencies=np.array(survey.band),
        times=np.zeros(0) if survey.band else survey.times,
        live=survey.live,
        notes=(*_warnings(inversion), *beside_notes),
    )


def _deviations(inversion: Inversion, uncertainty: Posterior, axes: tuple[NDArray, ...]) -> dict[str, Any]:
    """The posterior deviation on the report's grid, and its description."""
    ours, theirs = inversion.survey, uncertainty.survey
    places = (np.array_equal(getattr(ours, side), getattr(theirs, side)) for side in ("sources", "receivers"))
    if not all(places) or ours.band != theirs.band:
        raise DeclarationError(
            f"uncertainty is of {theirs.name!r} at {listing(number(f) for f in theirs.band)} Hz, and the inversion of "
            f"{ours.name!r}; give npde.seismic.uncertainty(inversion, …) of this one"
        )
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    values = uncertainty.deviation_at(points).reshape([len(axis) for axis in axes])
    return {"deviation": values, "sure": str(uncertainty)}


def classical_twin(inversion: Inversion, *, progress: bool = True) -> Inversion:
    """The classical inversion of the same data: values on a grid, L-BFGS-B, everything else as in `inversion`."""
    setting, method = inversion.setting, inversion.method
    resolution = {}
    if isinstance(method, Reduced):
        resolution = {"spacing": method.spacing, "per_wavelength": method.per_wavelength}
    stages = stages_of(setting.survey, Continuation(*(stage.frequencies for stage in inversion.stages)))
    plain = dataclasses.replace(setting, velocity=dataclasses.replace(setting.velocity, trial=None))
    return inverted(plain, stages, Adjoint(**resolution), progress=progress)  # type: ignore[arg-type]


def _beside(
    inversion: Inversion, classical: Inversion | bool, progress: bool
) -> tuple[Inversion | None, tuple[str, ...]]:
    """The classical inversion, and notes on it."""
    if isinstance(classical, Inversion):
        ours, theirs = inversion.survey, classical.survey
        if (ours.shots, len(ours.receivers), ours.kind) != (theirs.shots, len(theirs.receivers), theirs.kind):
            raise DeclarationError(
                f"classical is an inversion of {theirs.name!r} with {theirs.shots} shots and {len(theirs.receivers)} "
                f"receivers, not of {ours.name!r} with {ours.shots} and {len(ours.receivers)}; invert the same survey"
            )
        return classical, ()
    if not classical:
        return None, ("There is no classical inversion for comparison.",)
    if isinstance(inversion.method, Adjoint):
        return None, ("This inversion is itself the classical one.",)
    if not all(stage.frequencies for stage in inversion.stages):
        way = "give classical=…, an inversion with a gridded velocity"
        return None, (f"The method works in time, so there is no classical inversion for comparison; {way}.",)
    twin = classical_twin(inversion, progress=progress)
    name = short_name(twin.method)
    return twin, (
        f"{name} had the same data, bounds, prior, misfit, start and stages as the inversion above it.",
    )


def _warnings(inversion: Inversion) -> tuple[str, ...]:
    """Warnings for the reader of the numbers."""
    setting, survey = inversion.setting, inversion.setting.survey
    sentences = []
    if len(survey.band) == 1:
        sentences.append(
            "One frequency does not determine the model: the prior, the bounds and the start do."
        )
    if not setting.velocity.prior:
        sentences.append(
            "No prior was given: the parametrisation of the velocity decides what the data do not determine."
        )
    if survey.origin is not None and survey.origin.shape == inversion.grid.shape:
        sentences.append(
            f"Inverse crime: the data were made on the grid of {'×'.join(map(str, survey.origin.shape))} nodes that the "
            "inversion uses, so its errors cancel; simulate them with another shape."
        )
    return tuple(sentences)


def _wells(x: NDArray, change: NDArray, free: NDArray) -> tuple[float, ...]:
    """Positions along x where the model changed."""
    energy = np.cumsum(np.where(free, change**2, 0.0).sum(axis=1))
    if energy[-1] == 0:
        energy = np.cumsum(free.sum(axis=1).astype(float))
    columns = np.searchsorted(energy, np.array(QUANTILES) * energy[-1])
    return tuple(float(x[column]) for column in columns)


def _velocity(inversion: Inversion) -> str:
    velocity = inversion.setting.velocity
    low, high = map(number, velocity.limits)
    priors = [f"{prior.name} of weight {number(prior.weight)}" for prior in velocity.prior]
    return f"speed between {low} and {high}; prior: {listing(priors) if priors else 'none'}"
