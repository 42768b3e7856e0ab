"""The picture: how many times as long every peer takes, and curves for scaling. Needs matplotlib."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

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

BAR = 0.24
"""Inches of a bar."""


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


def bars(rows: list[Row]) -> dict[tuple[str, str], list[Bar]]:
    """The bars by group and task: each peer's best row, the one that delivers to MLX where it has one."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row.ratio is None or row.peer in (SUBJECT, FLOOR):
            continue
        kept = found.setdefault((row.group, row.task), {})
        if row.peer not in kept or _rank(row) < _rank(kept[row.peer]):
            kept[row.peer] = row
    return {
        key: [Bar(row.peer, row.ratio or 1.0, row.rival.removeprefix(row.peer).strip(" ,")) for row in kept.values()]
        for key, kept in found.items()
    }


def draw(results: Results, stem: Path) -> list[Path]:
    """Writes PNG and SVG and returns their paths; none when there is nothing to draw."""
    groups = bars(results.rows)
    if not groups:
        return []
    plot = _pyplot()
    place, ticks, titles = 0.0, [], []
    drawn: list[tuple[float, Bar]] = []
    previous = None
    for (group, task), some in groups.items():
        if group != previous:
            place += 1.9 if previous is not None else 1.0
            titles.append((place - 1.0, group))
            previous = group
        for index, bar in enumerate(some):
            drawn.append((place + index, bar))
        ticks.append((place + (len(some) - 1) / 2, task))
        place += len(some) + 0.7
    figure, axes = plot.subplots(figsize=(11, 1.9 + BAR * place), layout="constrained")
    axes.barh(
        [where for where, _ in drawn],
        [bar.ratio - 1 for _, bar in drawn],
        left=1,
        height=0.86,
        color=[COLOURS.get(bar.peer, OTHER_COLOUR) for _, bar in drawn],
    )
    axes.set_xscale("log")
    lowest = min([1.0, *(bar.ratio for _, bar in drawn)])
    highest = max(bar.ratio for _, bar in drawn)
    axes.set_xlim(lowest / 1.6, max(highest * 1.9, 4))
    axes.set_ylim(place, -1.2)
    for where, bar in drawn:
        is_right = bar.ratio >= 1
        axes.annotate(
            f"{short(bar.ratio)}x",
            (bar.ratio, where),
            xytext=(4 if is_right else -4, 0),
            textcoords="offset points",
            ha="left" if is_right else "right",
            va="center",
            fontsize=8,
        )
    for where, title in titles:
        axes.text(0.005, where, title, transform=axes.get_yaxis_transform(), fontsize=10, weight="bold", va="center")
    axes.axvline(1, color="black", linewidth=1.2)
    axes.set_yticks([where for where, _ in ticks], [task for _, task in ticks], fontsize=9)
    _readable_ratios(axes, "x")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", labeltop=True, top=True)
    axes.grid(axis="x", which="major", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("right", "left"):
        axes.spines[side].set_visible(False)
    names = list(dict.fromkeys(bar.peer for _, bar in drawn))
    handles = [plot.Rectangle((0, 0), 1, 1, color=COLOURS.get(name, OTHER_COLOUR)) for name in names]
    labels = [f"{name} {results.versions.get(_distribution(name), '')}".strip() for name in names]
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(names), 4), frameon=False, fontsize=9)
    version = results.mapwave.get("version", "")
    axes.set_xlabel(f"times as long as mapwave {version} takes (logarithmic; right of 1: mapwave is faster)")
    figure.suptitle("mapwave beside its peers", fontsize=14, weight="bold")
    figure.supxlabel(_caption(results), fontsize=8, color="#555555")
    return _written(plot, figure, stem)


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


def _rank(row: Row) -> tuple[bool, bool]:
    """The rows of a peer in their order of preference: into MLX, and by the peer's default."""
    is_native = row.rival.endswith(("(NumPy)", "(torch)"))
    is_variant = row.rival not in (row.peer, f"{row.peer} + mx.array")
    return is_native, is_variant


def _distribution(peer: str) -> str:
    return {"PyAV": "av"}.get(peer, peer)


def _caption(results: Results) -> str:
    facts = results.machine
    quick = "quick run, for a look only; " if results.is_quick else ""
    return f"{quick}medians; {facts.get('cpu', '')}, {facts.get('cores', '')} cores; {facts.get('system', '')}"


def _readable_ratios(axes: Any, axis: str) -> None:
    ticker = import_module("matplotlib.ticker")
    which = getattr(axes, f"{axis}axis")
    which.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5), numticks=40))
    which.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}x"))
    which.set_minor_formatter(ticker.NullFormatter())


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
