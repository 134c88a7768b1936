"""The report of an inversion: a classical inversion of the same data beside it, and the truth where it is known.

The folder holds `report.json`, `fields.h5` (models, data, histories), PNG pictures and `report.html`, which needs
none of the others.
"""

from __future__ import annotations

import dataclasses
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import h5py

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.seismic.inversion.invert import invert
from neurapde.seismic.inversion.methods.continuation import Continuation
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.inversion.velocity import true_speed
from neurapde.storage import hdf5
from neurapde.validation import inversion_files
from neurapde.validation.appraisal import findings, short_name
from neurapde.validation.folder import aligned, read_json, strict_json
from neurapde.validation.inversion_figures import pictures
from neurapde.validation.inversion_findings import InversionFindings
from neurapde.validation.webpage import article, facts, grid, notes, picture

FORMAT = "neurapde inversion report"
VERSION = 1
"""Version of the layout of `report.json`."""


class InversionReport(InversionFindings):
    """Findings of an inversion with their text, `str(report)`, and their folder, `report.save(folder)`."""

    def __str__(self) -> str:
        lines = [self.title, self.headline, "", *aligned(self.table), ""]
        lines += [f"{name}: {account.method}. {account.status}" for name, account in self.accounts.items()]
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the report into `folder`, made if need be: all its files, or none where one cannot be."""
        folder = checks.path(folder, "folder")
        atomic.make_folder(folder)
        fields = hdf5.made("inversion report", self._fill)
        text = strict_json({"format": FORMAT, "version": VERSION, **self.as_json()})
        atomic.write_together(folder, {"fields.h5": fields, **self.drawn(), "report.json": text})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> InversionReport:
        """The report that `save` wrote.

        Raises: FileNotFoundError if a file is missing; StorageError if one is damaged, foreign or newer.
        """
        tree = read_json(Path(folder) / "report.json", FORMAT, VERSION)
        with hdf5.reading(Path(folder) / "fields.h5", "inversion report") as file:
            return cls(**inversion_files.findings_of(tree, file))

    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG)."""
        return pictures(self)

    def drawn(self) -> dict[str, bytes]:
        """Pictures and page, by the names of their files."""
        shown = self.pictures()
        images = {name: image for name, (_, image) in shown.items()}
        return {**images, "report.html": self._page(shown).encode()}

    def _page(self, drawn: dict[str, tuple[str, bytes]]) -> str:
        parts = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="headline">{escape(self.headline)}</p>',
            grid(self.table),
            notes(self.notes),
            *(picture(name, *shown) for name, shown in drawn.items()),
            "<h2>The survey</h2>",
            f"<pre>{escape(self.survey)}</pre>",
            "<h2>The model</h2>",
            f"<pre>{escape(self.model)}</pre>",
            "<h2>How it was found</h2>",
        ]
        for name, account in self.accounts.items():
            rows = [
                ("method", account.method),
                ("status", account.status),
                ("unknowns", str(account.parameters)),
            ]
            parts += [f"<h3>{escape(name)}</h3>", facts(rows), notes(account.notes)]
        return article(self.title, parts, self.versions)

    def _fill(self, file: h5py.File) -> None:
        inversion_files.fill(file, self)


def render_inversion(folder: str | PathLike[str]) -> InversionReport:
    """Draw the pictures and the page of a saved report again; the report itself. Raises: as `InversionReport.load`."""
    report = InversionReport.load(folder)
    atomic.write_together(Path(folder), report.drawn())
    return report


def inversion_report(
    inversion: Inversion, *, true: Any = None, classical: Inversion | bool = True, progress: bool = True
) -> InversionReport:
    """Compare an inversion with a classical one of the same data, with a finer grid, and with the truth if it is known.

    true: the true speed: a number, a function of points, a GridField, a Piecewise; None where nobody knows it.
    classical: an inversion to hold it against; True to make one, by `Adjoint` with the same bounds, prior, misfit,
        window and stages (none is made beside an `Adjoint`, or for a method in time); False for none.
    Raises: DeclarationError for a `classical` of other data.
    """
    if not isinstance(inversion, Inversion):
        raise DeclarationError(
            f"inversion_report takes an Inversion first; found {checks.shown(inversion)}. Make one: npde.invert(…)"
        )
    checks.flag(progress, "progress")
    if not isinstance(classical, Inversion | bool):
        raise DeclarationError(f"classical={checks.shown(classical)}; give an Inversion, True or False")
    truth = None if true is None else true_speed(true, inversion.setting.domain.region)
    beside, told = _beside(inversion, classical, progress)
    found = findings(inversion, beside, truth)
    return InversionReport(**found, notes=(*_warnings(inversion), *told))


def classical_twin(inversion: Inversion, *, progress: bool = True) -> Inversion:
    """The classical inversion of the same data: values on a grid, L-BFGS-B, everything else as in `inversion`."""
    setting, method = inversion.setting, inversion.method
    resolution = {}
    if isinstance(method, Reduced):
        resolution = {"spacing": method.spacing, "per_wavelength": method.per_wavelength}
    return invert(
        setting.survey,
        domain=setting.domain.box,
        velocity=dataclasses.replace(setting.velocity, trial=None),
        method=Adjoint(**resolution),  # type: ignore[arg-type]
        boundary=setting.domain.boundary,
        frequencies=Continuation(*(stage.frequencies for stage in inversion.stages)),
        misfit=setting.misfit,
        progress=progress,
    )


def _beside(
    inversion: Inversion, classical: Inversion | bool, progress: bool
) -> tuple[Inversion | None, tuple[str, ...]]:
    """The classical inversion, and what is to be said of it."""
    if isinstance(classical, Inversion):
        ours, theirs = inversion.survey, classical.survey
        if (ours.shots, len(ours.receivers), ours.kind) != (theirs.shots, len(theirs.receivers), theirs.kind):
            raise DeclarationError(
                f"classical is an inversion of {theirs.name!r} with {theirs.shots} shots and {len(theirs.receivers)} "
                f"receivers, not of {ours.name!r} with {ours.shots} and {len(ours.receivers)}; invert the same survey"
            )
        return classical, ()
    if not classical:
        return None, ("No classical inversion was made beside this one.",)
    if isinstance(inversion.method, Adjoint):
        return None, ("This is itself the classical inversion.",)
    if not all(stage.frequencies for stage in inversion.stages):
        way = "give classical=…, an inversion with a gridded velocity"
        return None, (f"The method works in time, so no classical inversion was made beside it; {way}.",)
    twin = classical_twin(inversion, progress=progress)
    name = short_name(twin.method)
    return twin, (
        f"{name} had the same data, bounds, prior, misfit, start and stages as the inversion above it.",
    )


def _warnings(inversion: Inversion) -> tuple[str, ...]:
    """What must be known before the numbers are believed."""
    setting, survey = inversion.setting, inversion.setting.survey
    found = []
    if len(survey.band) == 1:
        found.append("One frequency does not determine the model: the prior, the bounds and the start do.")
    if not setting.velocity.prior:
        found.append(
            "No prior was given: what the data leave open is decided by the velocity's parametrisation."
        )
    if survey.origin is not None and survey.origin.shape == inversion.grid.shape:
        found.append(
            f"Inverse crime: the data were made on the grid of {'×'.join(map(str, survey.origin.shape))} nodes that the "
            "inversion works on, so its errors cancel; simulate them with another shape."
        )
    return tuple(found)
