"""The packages of mds_lightning and the imports between them, as a table and as an SVG drawing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import grimp
from markdown_text import code, table

#: Sizes in units of the SVG, which is scaled to the width of the page.
_BOX = (116, 34)
_ROW = 84
_GAP = 20
_SWEEPS = 24

Imports = Mapping[str, frozenset[str]]
Node = str | tuple[str, str, int]


def find_imports() -> Imports:
    """Package to the packages that it imports directly; imports for type checking only are left out."""
    graph = grimp.build_graph("mds_lightning", cache_dir=None, exclude_type_checking_imports=True)
    found: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules - {"mds_lightning"}:
        importer = module.split(".")[1]
        imported = {
            name.split(".")[1]
            for name in graph.find_modules_directly_imported_by(module)
            if name.startswith("mds_lightning.")
        }
        found[importer] |= imported - {importer}
    return {package: frozenset(found[package]) for package in sorted(found)}


def tabulate_imports() -> str:
    """Markdown table of all direct imports, from the top package to the lowest."""
    imports = find_imports()
    levels = _levels(imports)
    rows = [
        [code(package), ", ".join(code(name) for name in sorted(imports[package])) or "none"]
        for package in sorted(imports, key=lambda name: (-levels[name], name))
    ]
    return table(["package", "imports directly"], rows)


def draw_import_graph() -> str:
    """SVG of the packages; an arrow that follows from other arrows is left out."""
    imports = find_imports()
    levels = _levels(imports)
    paths = [
        _path(importer, imported, levels)
        for importer, names in reduce_imports(imports).items()
        for imported in sorted(names)
    ]
    rows = _order_rows(levels, paths)
    columns = _place_columns(rows, paths)
    width = max(columns.values()) + _BOX[0] / 2 + 2
    height = len(rows) * _ROW
    centre = {
        node: (columns[node], height - (level + 0.5) * _ROW) for level, row in enumerate(rows) for node in row
    }
    label = "Packages of mds_lightning; an arrow points from a package to one that it imports"
    lines = [
        f'<svg class="import-graph" viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{label}">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        *(_draw_arrow([centre[node] for node in path]) for path in paths),
        *(_draw_box(node, *centre[node]) for node in centre if isinstance(node, str)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def reduce_imports(imports: Imports) -> Imports:
    """Leave out imports that follow from others (the transitive reduction)."""
    reachable: dict[str, frozenset[str]] = {}
    for package in sorted(imports, key=_levels(imports).__getitem__):
        reachable[package] = imports[package].union(*(reachable[name] for name in imports[package]))
    return {
        package: names - frozenset().union(*(reachable[name] for name in names))
        for package, names in imports.items()
    }


def _levels(imports: Imports) -> dict[str, int]:
    """Length of the longest chain of imports below each package."""
    levels: dict[str, int] = {}

    def level(package: str) -> int:
        if package not in levels:
            levels[package] = 1 + max((level(name) for name in imports[package]), default=-1)
        return levels[package]

    for package in imports:
        level(package)
    return levels


def _path(importer: str, imported: str, levels: Mapping[str, int]) -> list[Node]:
    """From importer to imported, with one invisible node on each level between them."""
    between = range(levels[importer] - 1, levels[imported], -1)
    return [importer, *((importer, imported, level) for level in between), imported]


def _order_rows(levels: Mapping[str, int], paths: Sequence[Sequence[Node]]) -> list[list[Node]]:
    """Nodes of each level, ordered so that few arrows cross (barycentre heuristic)."""
    rows: list[list[Node]] = [[] for _ in range(max(levels.values()) + 1)]
    for node in dict.fromkeys(node for path in paths for node in path):
        rows[levels[node] if isinstance(node, str) else node[2]].append(node)
    for isolated in set(levels) - {node for row in rows for node in row if isinstance(node, str)}:
        rows[levels[isolated]].append(isolated)
    above, below = _neighbours(paths)
    for sweep in range(_SWEEPS):
        upwards = sweep % 2 == 0
        neighbours = below if upwards else above
        for row in rows if upwards else reversed(rows):
            place = {node: (k + 0.5) / len(one) for one in rows for k, node in enumerate(one)}
            target = {node: _mean([place[other] for other in neighbours[node]], place[node]) for node in row}
            row.sort(key=target.__getitem__)
    return rows


def _place_columns(rows: Sequence[Sequence[Node]], paths: Sequence[Sequence[Node]]) -> dict[Node, float]:
    """Horizontal centre of each node: near those that it is connected to, without overlap."""
    above, below = _neighbours(paths)
    column = {node: k * (_BOX[0] + _GAP) for row in rows for k, node in enumerate(row)}
    for _ in range(_SWEEPS):
        for row in rows:
            target = [
                _mean([column[other] for other in above[node] + below[node]], column[node]) for node in row
            ]
            from_left, from_right = _separate(row, target), _separate(row, target, -1)
            column |= {node: (a + b) / 2 for node, a, b in zip(row, from_left, from_right, strict=True)}
    left = min(column.values()) - _BOX[0] / 2 - 2
    return {node: x - left for node, x in column.items()}


def _separate(row: Sequence[Node], target: Sequence[float], direction: int = 1) -> list[float]:
    """Move nodes to one side (1: right, -1: left) until none overlap."""
    half = [_BOX[0] / 2 if isinstance(node, str) else 0 for node in row][::direction]
    placed: list[float] = []
    for k, x in enumerate(target[::direction]):
        least = placed[-1] + half[k - 1] + half[k] + _GAP if placed else float("-inf")
        placed.append(max(x * direction, least))
    return [x * direction for x in placed][::direction]


def _neighbours(paths: Sequence[Sequence[Node]]) -> tuple[dict[Node, list[Node]], dict[Node, list[Node]]]:
    """Node to the nodes connected to it on the level above, and on the level below."""
    above: dict[Node, list[Node]] = defaultdict(list)
    below: dict[Node, list[Node]] = defaultdict(list)
    for path in paths:
        for upper, lower in pairwise(path):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _draw_arrow(points: Sequence[tuple[float, float]]) -> str:
    half = _BOX[1] / 2
    (x0, y0), *middle, (x1, y1) = points
    stops = [(x0, y0 + half), *middle, (x1, y1 - half - 2)]
    curve = f"M{stops[0][0]:.0f} {stops[0][1]:.0f}"
    for (xa, ya), (xb, yb) in pairwise(stops):
        bend = (yb - ya) / 2
        curve += f" C{xa:.0f} {ya + bend:.0f} {xb:.0f} {yb - bend:.0f} {xb:.0f} {yb:.0f}"
    return f'<path class="arrow" d="{curve}" marker-end="url(#arrow)"/>'


def _draw_box(package: str, x: float, y: float) -> str:
    width, height = _BOX
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width}" height="{height}" rx="4"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}">{package}</text>'
    )
