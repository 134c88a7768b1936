"""A report: findings that print as a table, and are saved as a folder that a browser and a program can read.

The folder holds `report.json` (everything but arrays), `fields.h5` (the fields on the grid, the history),
PNG panels and `report.html`, which needs none of the others. The panels and the page can be made again from
the first two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurapde.core import atomic, checks
from neurapde.run.files import columns
from neurapde.run.history import History
from neurapde.storage import hdf5
from neurapde.validation.annotations import Annotations
from neurapde.validation.comparison import Comparison, Errors
from neurapde.validation.figures import convergence_figure, error_figure, fields_figure, png
from neurapde.validation.folder import aligned, finite, read_json, strict_json
from neurapde.validation.formatting import heading, percent, significant, table
from neurapde.validation.video import snapshots_figure
from neurapde.validation.webpage import page

FORMAT = "neurapde report"
VERSION = 1
"""Version of the layout of `report.json`."""
PICTURED = 3
"""Columns (shots, components) that get panels."""


@dataclass(frozen=True, eq=False)
class Report(Comparison):
    """Findings with their text, `str(report)`, and their folder, `report.save(folder)`."""

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Headline, a table for each pair, both clocks and the notes, aligned for a terminal."""
        lines = [self.title, self.headline]
        for pair, regions in self.errors.items():
            lines += ["", heading(pair), *aligned(table(regions))]
        clocks = ", ".join(f"{name} {significant(seconds)} s" for name, seconds in self.seconds.items())
        lines += ["", f"time: {clocks}"]
        if self.error_bar is not None:
            lines.append(f"the reference's own error bar (relative L2): {percent(self.error_bar)}")
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

    def save(self, folder: str | Path) -> None:
        """Write the report into `folder`, made if need be: all its files, or none where one cannot be."""
        folder = checks.path(folder, "folder")
        atomic.make_folder(folder)
        fields, text = hdf5.made("report", self._fill), strict_json(self.as_json())
        atomic.write_together(folder, {"fields.h5": fields, **self._drawn(), "report.json": text})

    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG): fields and errors of the first columns, and the convergence."""
        found: dict[str, tuple[str, bytes]] = {}
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
            found[f"fields{suffix}.png"] = (caption, png(draw(annotations, self.axes, shown)))
            differences = {f"{a} − {b}": fields[a] - fields[b] for a, b in self.errors}
            caption = f"{label}the absolute difference, on a logarithmic scale."
            found[f"error{suffix}.png"] = (caption, png(error_figure(annotations, self.axes, differences)))
        if len(self.history) > 1:
            caption = "the course of the solve."
            found["convergence.png"] = (caption, png(convergence_figure(self.history)))
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything but the arrays, as a tree without NaN: a number that is not finite is null."""
        tree: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "title": self.title,
            "headline": self.headline,
            "relative_l2": self.relative_l2,
            "tolerance": self.tolerance,
            "passed": self.passed,
            "metrics": self.metrics,
            "errors": [{"field": a, "truth": b, "regions": found} for (a, b), found in self.errors.items()],
            "seconds": self.seconds,
            "error_bar": self.error_bar,
            "notes": self.notes,
            "made_by": self.made_by,
            "solution_notes": self.solution_notes,
            "problem": self.problem,
            "scene": self.annotations.as_json(),
            "versions": self.versions,
        }
        return {name: finite(value) for name, value in tree.items()}

    @classmethod
    def load(cls, folder: str | Path) -> Report:
        """The report that `save` wrote.

        Raises: FileNotFoundError if a file is missing; StorageError if one is damaged, foreign or newer.
        """
        tree = read_json(Path(folder) / "report.json", FORMAT, VERSION)
        with hdf5.reading(Path(folder) / "fields.h5", "report") as file:
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
        )

    def _drawn(self) -> dict[str, bytes]:
        """Pictures and page, by the names of their files."""
        pictures = self.pictures()
        images = {name: image for name, (_, image) in pictures.items()}
        return {**images, "report.html": page(self, pictures).encode()}

    def _fill(self, file: h5py.File) -> None:
        hdf5.put_arrays(file, "axes", dict(zip(self.annotations.axis_names, self.axes, strict=True)))
        hdf5.put_arrays(file, "fields", self.fields)
        hdf5.put_arrays(file, "history", columns(self.history))
        hdf5.put_arrays(file, "constraints", self.history.constraints)


def render(folder: str | Path) -> Report:
    """Draw the panels and the page of a saved report again, from `report.json` and `fields.h5`; the report
    itself.

    Raises: as `Report.load`.
    """
    report = Report.load(folder)
    atomic.write_together(Path(folder), report._drawn())
    return report


def _numbers(regions: Mapping[str, Mapping[str, float | None]]) -> Errors:
    return {
        region: {name: math.nan if value is None else value for name, value in metrics.items()}
        for region, metrics in regions.items()
    }
