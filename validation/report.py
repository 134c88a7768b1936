"""The report of a solution: its comparison with known fields, as a text and as a folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from neurapde.core.formatting import aligned, percent, significant
from neurapde.core.pictures import html
from neurapde.core.pictures.style import png
from neurapde.storage import hdf5
from neurapde.training.run.files import columns
from neurapde.training.run.history import History
from neurapde.validation.annotations import Annotations
from neurapde.validation.comparison import Comparison, Errors
from neurapde.validation.figures import convergence_figure, error_figure, fields_figure
from neurapde.validation.folder import SavedReport
from neurapde.validation.pages.page import Block, declared, facts, grid, notes, titled
from neurapde.validation.shown import show
from neurapde.validation.video import film, snapshots_figure

PICTURED = 3
"""Columns (shots, components) that get panels."""
OWN_ERROR = "the reference's own error bar (relative L2)"
HEADINGS = {
    "points": "points",
    "relative_l2": "relative L2",
    "psnr": "PSNR (dB)",
    "mse": "MSE",
    "max_error": "max error",
    "relative_max": "relative max",
    "phase_error": "phase (rad)",
    "amplitude_error": "amplitude",
}
"""Metrics in the order of a table, with their headings."""

_FIELDS = {"exact": "the exact field", "reference": "the grid reference"}


@dataclass(frozen=True, eq=False)
class Report(Comparison, SavedReport):
    """A comparison with its text, `str(report)`, and its folder, `report.save(folder)`."""

    kind = "report"

    def _lines(self) -> list[str]:
        """A table for each pair, and both clocks."""
        lines = []
        for pair, regions in self.errors.items():
            lines += ["", heading(pair), *aligned(table(regions))]
        clocks = ", ".join(f"{name} {significant(seconds)} s" for name, seconds in self.seconds.items())
        lines += ["", f"time: {clocks}"]
        if self.error_bar is not None:
            lines.append(f"{OWN_ERROR}: {percent(self.error_bar)}")
        return lines

    def __repr__(self) -> str:
        return f"<Report {self.title!r}: {self.headline}>"

    def _repr_html_(self) -> str:
        clocks = ", ".join(f"{name} {significant(seconds)} s" for name, seconds in self.seconds.items())
        rows = [("outcome", self.headline), ("time", clocks), ("solved by", self.made_by.get("method", ""))]
        tables = "".join(
            html.card(heading(pair), (), (), html.table(table(r))) for pair, r in self.errors.items()
        )
        return html.card(f"Report {self.title}", rows, (*self.notes, *self.solution_notes), tables)

    def show(self, ax: Any = None, *, component: int = 0) -> NDArray:
        """Draw the solution, the truth and the size of their difference, side by side.

        ax: three axes of matplotlib, or None for a new figure. component: or shot, from 0. Returns the axes, `(3,)`.
        With three axes the picture is the middle plane of the last. For a complete page see `save`.
        """
        return show(self, ax, component)

    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG or GIF): fields and errors of the first columns, and the convergence."""
        pictures: dict[str, tuple[str, bytes]] = {}
        labels = self.annotations.columns
        for i in range(min(max(len(labels), 1), PICTURED)):
            annotations = self.annotations.of_column(i)
            fields = {name: values[..., i] if labels else values for name, values in self.fields.items()}
            suffix, label = (f"-{i + 1}", f"{labels[i]} of {len(labels)}: ") if labels else ("", "")
            shown = {name: fields[name] for name in ("solution", self.judge)}
            gaps = " Grey: not known." if any(np.isnan(values).any() for values in shown.values()) else ""
            caption = (
                f"{label}the solution and the {self.judge} field, on one scale. {annotations.legend}{gaps}"
            )
            moving = len(self.axes) == 3 and annotations.axis_names[-1] == "t"
            draw = snapshots_figure if moving else fields_figure
            pictures[f"fields{suffix}.png"] = (caption, png(draw(annotations, self.axes, shown)))
            if moving:
                caption = f"{label}the solution over its time, from {self.axes[2][0]:.3g} to {self.axes[2][-1]:.3g}."
                pictures[f"film{suffix}.gif"] = (caption, film(fields["solution"], self.axes))
            differences = {f"{a} − {b}": fields[a] - fields[b] for a, b in self.errors}
            caption = f"{label}the absolute difference, on a logarithmic scale."
            pictures[f"error{suffix}.png"] = (caption, png(error_figure(annotations, self.axes, differences)))
        if len(self.history) > 1:
            caption = "how the solve proceeded."
            pictures["convergence.png"] = (caption, png(convergence_figure(self.history)))
        return pictures

    def _summary(self) -> list[Block]:
        return [declared(self.problem)[0]]

    def _sections(self) -> list[Block]:
        """Errors by region, clocks, the problem, and how it was solved."""
        clocks = [(name, f"{significant(seconds)} s") for name, seconds in self.seconds.items()]
        if self.error_bar is not None:
            clocks.append((OWN_ERROR, percent(self.error_bar)))
        errors = [
            section
            for pair, regions in self.errors.items()
            for section in (titled(heading(pair), 3), grid(table(regions)))
        ]
        return [
            titled("Errors by region"),
            *errors,
            titled("Time"),
            facts(clocks),
            titled("The problem"),
            declared(self.problem)[1],
            titled("How it was solved"),
            facts(self.made_by.items()),
            notes(self.solution_notes),
        ]

    def _tree(self) -> dict[str, Any]:
        """Numbers, texts and annotations."""
        return {
            "relative_l2": self.relative_l2,
            "tolerance": self.tolerance,
            "passed": self.passed,
            "metrics": self.metrics,
            "errors": [
                {"field": a, "truth": b, "regions": regions} for (a, b), regions in self.errors.items()
            ],
            "seconds": self.seconds,
            "error_bar": self.error_bar,
            "made_by": self.made_by,
            "solution_notes": self.solution_notes,
            "problem": self.problem,
            "scene": self.annotations.as_json(),
        }

    @classmethod
    def _of_files(cls, tree: Mapping[str, Any], file: h5py.File) -> Self:
        """The report of its tree and its arrays."""
        axes, fields = hdf5.get_arrays(file, "axes"), hdf5.get_arrays(file, "fields")
        rows, losses = hdf5.get_arrays(file, "history"), hdf5.get_arrays(file, "constraints")
        annotations = Annotations.of_json(tree["scene"])
        return cls(
            title=tree["title"],
            problem=tree["problem"],
            errors={(pair["field"], pair["truth"]): _numbers(pair["regions"]) for pair in tree["errors"]},
            seconds=tree["seconds"],
            error_bar=tree["error_bar"],
            notes=tuple(tree["notes"]),
            made_by=tree["made_by"],
            solution_notes=tuple(tree["solution_notes"]),
            annotations=annotations,
            axes=tuple(axes[name] for name in annotations.axis_names),
            fields=fields,
            history=History(**rows, constraints=losses),
            tolerance=tree["tolerance"],
            versions=tree["versions"],
            made=tree.get("made", {}),
        )

    def _fill(self, file: h5py.File) -> None:
        hdf5.put_arrays(file, "axes", dict(zip(self.annotations.axis_names, self.axes, strict=True)))
        hdf5.put_arrays(file, "fields", self.fields)
        hdf5.put_arrays(file, "history", columns(self.history))
        hdf5.put_arrays(file, "constraints", self.history.constraints)


def render(folder: str | Path) -> Report:
    """Draw the pictures and the page of a saved report again; the report itself. Raises: as `Report.load`."""
    return Report.render(folder)


def heading(pair: tuple[str, str]) -> str:
    """The heading of a table: `Solution against the exact field`."""
    field, truth = (_FIELDS.get(name, name) for name in pair)
    text = f"{field.removeprefix('the ')} against {truth}"
    return text[:1].upper() + text[1:]


def table(regions: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """The errors by region as rows of cells, the first row the headings."""
    names = [name for name in HEADINGS if any(name in metrics for metrics in regions.values())]
    rows = [["region", *(HEADINGS[name] for name in names)]]
    for region, metrics in regions.items():
        rows.append([region, *(significant(metrics[name]) for name in names)])
    return rows


def _numbers(regions: Mapping[str, Mapping[str, float | None]]) -> Errors:
    return {
        region: {name: math.nan if value is None else value for name, value in metrics.items()}
        for region, metrics in regions.items()
    }
