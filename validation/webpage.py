"""A report as one HTML page that needs nothing else: pictures inlined, fit for a telephone and for paper."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from neurapde.validation.comparison import Comparison
from neurapde.validation.formatting import heading, percent, significant, table

STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #5a6472; --line: #d9dee5; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 56rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .3rem; }
.headline { font-size: 1.1rem; margin: .3rem 0; }
.verdict { display: inline-block; padding: 0 .5rem; border-radius: .3rem; font-weight: 600; color: #fff; }
.passed { background: #1d7a3c; }
.failed { background: #b3261e; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 600; }
.facts td { text-align: left; vertical-align: top; }
.facts td:last-child { white-space: normal; }
pre { margin: 0; padding: .8rem; background: #f5f7f9; border-radius: .3rem; font-size: .85rem;
  overflow-x: auto; }
figure { margin: 1.2rem 0; break-inside: avoid; }
img { display: block; max-width: 100%; height: auto; }
figcaption, footer { color: var(--soft); font-size: .88rem; }
footer { margin-top: 2rem; }
ul { padding-left: 1.2rem; }
li { margin: .3rem 0; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  table, pre { break-inside: avoid; }
  pre { white-space: pre-wrap; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: .15rem .4rem; }
}
"""


def page(report: Comparison, pictures: Mapping[str, tuple[str, bytes]]) -> str:
    """The page; `pictures` are captions and PNGs by file name."""
    verdict = ""
    if report.passed is not None:
        word = "passed" if report.passed else "failed"
        verdict = f' <span class="verdict {word}">{word}</span>'
    parts = [
        f"<h1>{escape(report.title)}</h1>",
        f'<p class="headline">{escape(report.headline)}{verdict}</p>',
        notes(report.notes),
        *(picture(name, *shown) for name, shown in pictures.items()),
        "<h2>Errors by region</h2>",
        *(f"<h3>{escape(heading(pair))}</h3>{_errors(regions)}" for pair, regions in report.errors.items()),
        "<h2>Clocks</h2>",
        _clocks(report),
        "<h2>The problem</h2>",
        f"<pre>{escape(report.problem)}</pre>",
        "<h2>How it was solved</h2>",
        facts(report.made_by.items()),
        notes(report.solution_notes),
    ]
    return article(report.title, parts, report.versions)


def article(title: str, parts: Iterable[str], versions: Mapping[str, str]) -> str:
    """A whole page of parts, empty ones left out, with the versions of the software at its foot."""
    foot = f"<footer>{escape(', '.join(f'{name} {v}' for name, v in versions.items()))}</footer>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>"
        + "\n".join(part for part in (*parts, foot) if part)
        + "</body></html>\n"
    )


def picture(name: str, caption: str, image: bytes) -> str:
    """A PNG and its caption."""
    data = base64.b64encode(image).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}">'
        f"<figcaption>{escape(_capital(caption))} ({escape(name)})</figcaption></figure>"
    )


def _errors(regions: Mapping[str, Mapping[str, float]]) -> str:
    return grid(table(regions))


def grid(cells: Sequence[Sequence[str]]) -> str:
    """A table; the first row holds the headings."""
    head, *rows = cells
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _clocks(report: Comparison) -> str:
    rows = [(name, f"{significant(seconds)} s") for name, seconds in report.seconds.items()]
    if report.error_bar is not None:
        rows.append(("the reference's own error bar (relative L2)", percent(report.error_bar)))
    return facts(rows)


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Labels and texts."""
    rows = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in items)
    return f'<table class="facts">{rows}</table>' if rows else ""


def notes(texts: Iterable[str]) -> str:
    """A list of sentences."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
