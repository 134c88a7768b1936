"""Draws the rooms of the house on their floors, from the imports of the code: `python docs/architecture.py`.

A room is a folder. It stands one floor above the highest room that it imports from; what only type checkers read does not
count. An arrow that follows from two others is left out. The docs build draws the picture again.
"""

import ast
import graphlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as MplPath

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("reference_solvers", "neurapde", "problems", "validation")
FRONT_DOOR = ("__init__", "__main__", "late")
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
PROBLEM, SURVEY, REST = "#cfe0f3", "#fbdcc4", "#ececec"
WIDTH, HEIGHT = 2.5, 0.5  # of a box; floors are 1 apart
COLUMN, GAP = 2.8, 0.5  # what a box takes across, and an arrow that passes it
SWEEPS = 20

Rooms = dict[str, set[str]]
"""Room → the rooms that it imports from."""
Stop = tuple[str, int]
"""What an arrow meets on a floor, by name: a room, or a gap between rooms."""


def rooms() -> Rooms:
    """All rooms, but for what only hands names on."""
    uses: Rooms = {}
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        used = {room_of(file) for file in imported(path)}
        uses[room_of(path)] = uses.get(room_of(path), set()) | used
    doors = [room for room in uses if room.rpartition("/")[2] in FRONT_DOOR]
    return {room: used - {room, *doors} for room, used in uses.items() if room not in doors}


def room_of(path: Path) -> str:
    """The folder of a file, of `seismic` the one within it; a file that lies in no folder is a room itself."""
    first, *rest = path.relative_to(ROOT).with_suffix("").parts
    if first != "neurapde":
        return first
    return "/".join(rest[:2]) if rest[0] == "seismic" else rest[0]


def imported(path: Path) -> Iterator[Path]:
    """The files of ours that a file imports from, when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typed = [
        node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    tree.body = [node for node in tree.body if node not in typed]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                file = file_of(f"{node.module}.{alias.name}") or file_of(node.module)
                if file:
                    yield file


def file_of(module: str) -> Path | None:
    """The file of a module of ours."""
    first, *rest = module.split(".")
    if first != "neurapde":
        return None
    base = ROOT.joinpath(*rest) if rest and rest[0] in FOLDERS else ROOT.joinpath(first, *rest)
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def floors(graph: Rooms) -> dict[str, int]:
    """Room → floor, the ground floor 0. Raises: CycleError where imports run in a circle."""
    heights: dict[str, int] = {}
    for room in graphlib.TopologicalSorter(graph).static_order():
        heights[room] = max((heights[used] + 1 for used in graph[room]), default=0)
    return heights


def below(graph: Rooms, room: str) -> set[str]:
    """All rooms that a room needs."""
    return {lower for used in graph[room] for lower in {used} | below(graph, used)}


def shortest(graph: Rooms) -> Rooms:
    """The graph without the arrows that follow from others."""
    return {
        room: {used for used in direct if not any(used in below(graph, other) for other in direct)}
        for room, direct in graph.items()
    }


def routes(arrows: Rooms, floor: dict[str, int]) -> list[list[Stop]]:
    """Each arrow as its stops from floor to floor: the room, the gaps between others that it passes, the room below."""
    return [
        [
            (room, floor[room]),
            *((f"{room}>{used}", level) for level in passed(floor[room], floor[used])),
            (used, floor[used]),
        ]
        for room in arrows
        for used in sorted(arrows[room])
    ]


def passed(start: int, end: int) -> range:
    """The floors between two, downwards."""
    return range(start - 1, end, -1)


def columns(ways: list[list[Stop]]) -> dict[Stop, float]:
    """Stop → place across: those of a floor side by side about 0, each near the stops that it is joined to."""
    stops = sorted({stop for way in ways for stop in way}, key=lambda stop: stop[0])
    near = {
        stop: [b for way in ways for pair in pairwise(way) for a, b in (pair, pair[::-1]) if a == stop]
        for stop in stops
    }
    levels = [[stop for stop in stops if stop[1] == level] for level in sorted({level for _, level in stops})]
    place = {stop: 0.0 for stop in stops}
    for _ in range(SWEEPS):
        for level in (*levels, *levels[::-1]):
            level.sort(key=lambda stop: float(np.mean([place[other] for other in near[stop]])))
            widths = np.array([GAP if ">" in name else COLUMN for name, _ in level])
            middles = np.cumsum(widths) - widths / 2 - widths.sum() / 2
            place |= dict(zip(level, map(float, middles), strict=True))
    return place


def draw() -> Figure:
    """Boxes on their floors and arrows down."""
    graph = rooms()
    floor = floors(graph)
    ways = routes(shortest(graph), floor)
    at = columns(ways)
    figure = Figure(figsize=(9, 0.62 * (max(floor.values()) + 1)), facecolor="white")
    panel = figure.add_axes((0, 0, 1, 1))
    for way in ways:
        arrow(panel, [(at[stop], float(stop[1])) for stop in way])
    solving = {"solving", "references", *below(graph, "solving"), *below(graph, "references")}
    for room, level in floor.items():
        x = at[room, level]
        colour = SURVEY if room.startswith("seismic") else PROBLEM if room in solving else REST
        corner = (x - WIDTH / 2, level - HEIGHT / 2)
        panel.add_patch(
            FancyBboxPatch(corner, WIDTH, HEIGHT, "round,pad=0,rounding_size=0.1", fc=colour, ec="0.35")
        )
        panel.text(x, level, room, ha="center", va="center", fontsize=11)
    widest = max(map(abs, at.values())) + COLUMN / 2
    panel.set(xlim=(-widest, widest), ylim=(-0.6, max(floor.values()) + 0.6))
    panel.set_axis_off()
    return figure


def arrow(panel: Axes, points: list[tuple[float, float]]) -> None:
    """A line down through points, from the lower side of a box to the upper side of another."""
    (x, y), *between, (last_x, last_y) = points
    passing = [(gap, level + side) for gap, level in between for side in (HEIGHT / 2, -HEIGHT / 2)]
    line = MplPath([(x, y - HEIGHT / 2), *passing, (last_x, last_y + HEIGHT / 2)])
    panel.add_patch(
        FancyArrowPatch(path=line, arrowstyle="-|>", mutation_scale=9, color="0.45", lw=0.9, zorder=0)
    )


def save(path: Path = PICTURE) -> Path:
    """Write the picture, the same bytes each time."""
    with mpl.rc_context(
        {"svg.hashsalt": "architecture", "svg.fonttype": "none", "font.family": "sans-serif"}
    ):
        draw().savefig(path, metadata={"Date": None})
    return path


if __name__ == "__main__":
    print(save())
