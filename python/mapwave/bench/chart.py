"""The picture: how many times as long every peer takes, and curves for scaling. Needs matplotlib."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from .report import Row, short
from .results import Results
from .task import FLOOR, SUBJECT

COLOURS = {
    "mapwave": "#111111",
    "mlx-audio-io": "#0072b2",
    "soundfile": "#e69f00",
    "librosa": "#009e73",
    "torchaudio": "#d55e00",
    "torchcodec": "#cc79a7",
    "PyAV": "#56b4e9",
    "audioread": "#8c6d31",
}
OTHER_COLOUR = "#777777"

BAR = 0.165
"""Inches of a bar; the next are in bars."""
GAP, HEADING = 0.7, 1.6
TALL = 70
"""A column that is higher becomes two."""


@dataclass
class Panel:
    """One chart of curves."""

    title: str
    x_label: str
    lines: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Points of x and milliseconds, by label."""


@dataclass(frozen=True)
class Bar:
    """A peer in a task."""

    peer: str
    ratio: float
    words: str
    """What its label says beyond the peer's name."""


Bars: TypeAlias = dict[tuple[str, str], list[Bar]]
"""The bars of every task, by its group and name."""


def bars(rows: list[Row]) -> Bars:
    """The bars by group and task: each peer's best row, the one that delivers to MLX where it has one."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row.ratio is None or row.peer in (SUBJECT, FLOOR):
            continue
        kept = found.setdefault((row.group, row.task), {})
        if row.peer not in kept or _rank(row) < _rank(kept[row.peer]):
            kept[row.peer] = row
    return {key: [Bar(row.peer, row.ratio or 1.0, _words(row)) for row in kept.values()] for key, kept in found.items()}


def draw(results: Results, stem: Path) -> list[Path]:
    """Writes PNG and SVG and returns their paths; none when there is nothing to draw."""
    found = bars(results.rows)
    if not found:
        return []
    plot = _pyplot()
    columns = _columns(found)
    heights = [_height(column) for column in columns]
    head = 0.5
    size = (8.2 * len(columns), BAR * max(heights) + 1.6 + head)
    figure = plot.figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(2, len(columns), height_ratios=[head, size[1] - head])
    ratios = [bar.ratio for some in found.values() for bar in some]
    limits = (min(0.5, min(ratios) / 2.2), max(max(ratios) * 3, 6))
    for index, column in enumerate(columns):
        axes = figure.add_subplot(grid[1, index])
        _draw_column(axes, column)
        axes.set_ylim(max(heights), -0.4)
        axes.set_xlim(*limits)
        _readable_ratios(axes)
        version = results.mapwave.get("version", "")
        axes.set_xlabel(f"times as long as mapwave {version} takes; right of 1: mapwave is faster", fontsize=9)
    names = list(dict.fromkeys(bar.peer for some in found.values() for bar in some))
    handles = [plot.Rectangle((0, 0), 1, 1, color=COLOURS.get(name, OTHER_COLOUR)) for name in names]
    labels = [f"{name} {results.versions.get(_distribution(name), '')}".strip() for name in names]
    legend = figure.add_subplot(grid[0, :])
    legend.axis("off")
    num_columns = min(len(names), 3 * len(columns))
    legend.legend(handles, labels, loc="center", ncols=num_columns, frameon=False, fontsize=10, columnspacing=1.4)
    figure.suptitle("mapwave beside its peers", fontsize=16, weight="bold")
    figure.supxlabel(_caption(results), fontsize=8, color="#555555")
    return _written(plot, figure, stem)


def _columns(found: Bars) -> list[Bars]:
    """The groups in one column, or in two of about the same height."""
    if _height(found) < TALL:
        return [found]
    groups = list(dict.fromkeys(group for group, _ in found))

    def part(some: list[str]) -> Bars:
        return {key: bars for key, bars in found.items() if key[0] in some}

    halves = [(part(groups[:cut]), part(groups[cut:])) for cut in range(1, len(groups))]
    return [*min(halves, key=lambda both: max(map(_height, both)))] if halves else [found]


def _height(found: Bars) -> float:
    """The height of a column, in bars."""
    num_groups = len({group for group, _ in found})
    return sum(len(some) + GAP for some in found.values()) + num_groups * (HEADING + GAP)


def _draw_column(axes: Any, found: Bars) -> None:
    place, ticks = 0.0, []
    previous = None
    for (group, task), some in found.items():
        if group != previous:
            heading = {"transform": axes.get_yaxis_transform(), "va": "center", "weight": "bold"}
            axes.text(-0.015, place + HEADING / 2, group, ha="right", fontsize=11, **heading)
            place += HEADING + GAP
            previous = group
        for index, bar in enumerate(some):
            _draw_bar(axes, place + index, bar)
        ticks.append((place + (len(some) - 1) / 2, task))
        place += len(some) + GAP
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1.2)
    axes.set_yticks([where for where, _ in ticks], [task for _, task in ticks], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", labeltop=True, top=True, labelsize=8)
    axes.grid(axis="x", which="major", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("right", "left"):
        axes.spines[side].set_visible(False)


def _draw_bar(axes: Any, place: float, bar: Bar) -> None:
    is_right = bar.ratio >= 1
    axes.barh(place, bar.ratio - 1, left=1, height=0.86, color=COLOURS.get(bar.peer, OTHER_COLOUR))
    axes.annotate(
        f"{short(bar.ratio)}x {bar.words}".strip(),
        (bar.ratio, place),
        xytext=(4 if is_right else -4, 0),
        textcoords="offset points",
        ha="left" if is_right else "right",
        va="center",
        fontsize=8,
    )


def draw_panels(panels: list[Panel], results: Results, stem: Path) -> list[Path]:
    """Writes curves, both axes logarithmic, as PNG and SVG."""
    panels = [panel for panel in panels if panel.lines]
    if not panels:
        return []
    plot = _pyplot()
    num_columns = min(2, len(panels))
    num_rows = -(-len(panels) // num_columns)
    size = (6.2 * num_columns, 4.2 * num_rows + 0.8)
    figure, grid = plot.subplots(num_rows, num_columns, figsize=size, squeeze=False, layout="constrained")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for panel, axes in zip(panels, grid.flat, strict=False):
        for label, points in panel.lines.items():
            peer = next((name for name in COLOURS if label == name or label.startswith(f"{name} ")), "")
            places, values = zip(*sorted(points), strict=True)
            width = 2.4 if peer == SUBJECT else 1.4
            axes.plot(places, values, marker="o", markersize=4, linewidth=width, label=label, color=COLOURS.get(peer))
        is_threads = panel.x_label == "threads"
        axes.set_xscale("log", base=2 if is_threads else 10)
        axes.set_yscale("log")
        axes.set_title(panel.title, fontsize=11, weight="bold")
        axes.set_xlabel(panel.x_label)
        axes.set_ylabel("median")
        if is_threads:
            counts = sorted({place for points in panel.lines.values() for place, _ in points})
            axes.set_xticks(counts, [f"{count:.0f}" for count in counts])
            axes.xaxis.set_minor_locator(import_module("matplotlib.ticker").NullLocator())
        else:
            _readable_lengths(axes)
        _readable_times(axes)
        axes.grid(which="major", color="#dddddd", linewidth=0.8)
        axes.legend(fontsize=8, frameon=False)
    figure.suptitle("mapwave: cost against length and threads", fontsize=14, weight="bold")
    figure.supxlabel(_caption(results), fontsize=8, color="#555555")
    return _written(plot, figure, stem)


def _words(row: Row) -> str:
    """What sets a row apart from the peer's default: not that its result was converted."""
    words = row.rival.removeprefix(row.peer)
    for usual in ("+ mx.array", "(from mx.array)", "(NumPy)", "(torch)"):
        words = words.replace(usual, "")
    return words.strip(" ,")


def _rank(row: Row) -> tuple[bool, bool]:
    """The rows of a peer in their order of preference: into MLX, and by the peer's default."""
    is_native = row.rival.endswith(("(NumPy)", "(torch)"))
    is_variant = bool(_words(row))
    return is_native, is_variant


def _distribution(peer: str) -> str:
    return {"PyAV": "av"}.get(peer, peer)


def _caption(results: Results) -> str:
    facts = results.machine
    quick = "quick run, for a look only; " if results.is_quick else ""
    return f"{quick}medians; {facts.get('cpu', '')}, {facts.get('cores', '')} cores; {facts.get('system', '')}"


def _readable_ratios(axes: Any) -> None:
    ticker = import_module("matplotlib.ticker")
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low < 2_000 else (1, 3)
    axes.xaxis.set_major_locator(ticker.LogLocator(base=10, subs=steps, numticks=40))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}x"))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())


def _readable_lengths(axes: Any) -> None:
    ticker = import_module("matplotlib.ticker")
    names = {10: "10 s", 60: "1 min", 600: "10 min", 3_600: "1 h", 14_400: "4 h"}
    low, high = axes.get_xlim()
    shown = [place for place in names if low <= place <= high]
    axes.set_xticks(shown, [names[place] for place in shown])
    axes.xaxis.set_minor_locator(ticker.NullLocator())


def _readable_times(axes: Any) -> None:
    ticker = import_module("matplotlib.ticker")

    def words(value: float, _: object) -> str:
        if value >= 1_000:
            return f"{value / 1_000:g} s"
        return f"{value:g} ms" if value >= 1 else f"{value * 1_000:g} us"

    axes.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5), numticks=40))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(words))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _written(plot: Any, figure: Any, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    for path in paths:
        figure.savefig(path, dpi=140)
    plot.close(figure)
    return paths


def _pyplot() -> Any:
    import_module("matplotlib").use("Agg")
    return import_module("matplotlib.pyplot")
