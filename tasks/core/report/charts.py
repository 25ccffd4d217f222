"""The charts of a report as Vega-Lite specifications: maps, and the heat map of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tasks.core.report.colours import Theme
from tasks.core.report.confusion import Confusion

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name, never fetched
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
NAMED = 32  # labels on the heat map: their names stay readable
COUNTED = 12  # labels up to which a cell has room for its figure
OTHERS = "(others)"
SQUARE = {"domain": [-1.04, 1.04], "nice": False, "zero": False}
CONTROLS = (
    {"name": "focus", "value": None},
    {"name": "pointed", "value": -1},
    {"name": "people", "value": False},
)

Spec = dict[str, Any]
"""A part of a Vega-Lite specification, which has a grammar of its own."""
Point = Mapping[str, object]
"""What a map draws of one text: fields that a specification names."""


def map_chart(points: Sequence[Point], where: str, shown: Sequence[str], theme: Theme) -> Spec:
    """Draw points by their fields x_WHERE and y_WHERE, coloured by `group`, one of `shown`.

    The parameters `focus` (a label), `pointed` (a point's number) and `people` (only what people
    labelled) are for the page's own controls.
    """
    x, y = (
        {"field": f"{axis}_{where}", "type": "quantitative", "axis": None, "scale": SQUARE}
        for axis in "xy"
    )
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 420,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _config(theme),
        "data": {"name": "points", "values": list(points)},
        "params": [*CONTROLS, _moving()],
        "mark": {"type": "circle", "clip": True, "tooltip": {"content": "data"}, "stroke": None},
        "encoding": {"x": x, "y": y, **_looks(shown, theme)},
    }


def _looks(shown: Sequence[str], theme: Theme) -> Spec:
    """Say how a point looks under the page's controls; one in focus always has a colour."""
    faded = "(focus !== null && datum.label !== focus) || (people && !datum.known)"
    grey = f"focus !== null && datum.group === '{OTHERS}' && !({faded})"
    colours = [*theme.labels[: len(shown)], theme.rest]
    return {
        "color": {
            "condition": {"test": grey, "value": theme.accent},
            "field": "group",
            "type": "nominal",
            "scale": {"domain": [*shown, OTHERS], "range": colours},
            "legend": None,
        },
        "opacity": {
            "condition": [
                {"test": "pointed === datum.n", "value": 1},
                {"test": faded, "value": 0.05},
                {"test": "datum.known", "value": 0.9},
            ],
            "value": 0.42,
        },
        "size": {"condition": {"test": "pointed === datum.n", "value": 170}, "value": 26},
    }


def _moving() -> Spec:
    """Drag with a mouse, pinch or Ctrl + wheel to zoom: neither touch nor wheel is taken away."""
    drag = "[pointerdown[event.pointerType === 'mouse'], window:pointerup] > window:pointermove!"
    select = {"type": "interval", "translate": drag, "zoom": "wheel![event.ctrlKey]"}
    return {"name": "area", "select": select, "bind": "scales"}


def picture(
    points: Sequence[Point], shown: Sequence[str], titles: Sequence[str], theme: Theme
) -> Spec:
    """Draw both maps side by side with a legend, as a still picture."""
    more = any(point["group"] == OTHERS for point in points)
    legend = {
        "title": None,
        "orient": "bottom",
        "columns": 5 if len(shown) > 6 else 6,
        "symbolOpacity": 1,
    }
    charts = []
    for where, title in zip(("before", "after"), titles, strict=True):
        chart = map_chart(points, where, shown, theme)
        chart["encoding"]["color"]["legend"] = legend | {
            "values": [*shown, *([OTHERS] if more else [])]
        }
        shape = {"width": 400, "height": 330, "title": {"text": title, "anchor": "start"}}
        charts.append({key: chart[key] for key in ("mark", "encoding")} | shape)
    return {
        "$schema": SCHEMA,
        "background": theme.paper,
        "padding": 16,
        "config": _config(theme),
        "data": {"values": list(points)},
        "params": list(CONTROLS),
        "spacing": 28,
        "hconcat": charts,
    }


def heat_map(confusion: Confusion, theme: Theme) -> Spec:
    """Draw true by likeliest label; how dark a cell is says which share of the true label's."""
    k = len(confusion.labels)
    axis = {"ticks": False, "domain": False, "labelLimit": 110, "title": None}
    angle = 0 if k <= 6 else -45 if k <= COUNTED else -90
    above = {"orient": "top", "labelAngle": angle, "labelOverlap": False}
    if k > COUNTED:  # names stand upright, as wide as their column is
        above |= {"labelFontSize": {"expr": f"max(7, min(12, width / {k} - 2))"}}
    order = list(confusion.labels)
    scale = {"domain": order, "paddingInner": 0.06}
    cells: Spec = {
        "mark": {"type": "rect", "tooltip": {"content": "data"}, "cornerRadius": 2},
        "encoding": {
            "fill": {"value": theme.accent},
            "fillOpacity": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1], "range": [0.08, 1]},
                "legend": None,
            },
        },
    }
    figures: Spec = {
        "mark": {"type": "text", "fontSize": {"expr": _fitting(k)}},
        "encoding": {
            "text": {"field": "share", "type": "quantitative", "format": ".0%"},
            "fill": {
                "condition": {"test": "datum.share > 0.55", "value": theme.paper},
                "value": theme.ink,
            },
        },
    }
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 90 + k * 40 if k <= COUNTED else 130 + k * 18,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _config(theme),
        "data": {"values": [asdict(cell) for cell in confusion.cells()]},
        "encoding": {
            "x": _band("likeliest", scale, axis | above),
            "y": _band("true", scale, axis),
        },
        "layer": [cells, figures] if k <= COUNTED else [cells],
    }


def _fitting(k: int) -> str:
    """Return the size of figures in a row of `k` cells: 100% is 32 pixels wide at 12; 0 is none."""
    return f"width / {k} >= 34 ? 12 : width / {k} >= 26 ? 9 : 0"


def _band(field: str, scale: Spec, axis: Spec) -> Spec:
    return {"field": field, "type": "nominal", "sort": None, "scale": scale, "axis": axis}


def _config(theme: Theme) -> Spec:
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None, "fill": "transparent"},
        "axis": {"labelColor": theme.faint, "labelFontSize": 12},
        "legend": {"labelColor": theme.ink, "labelFontSize": 12, "labelLimit": 140},
        "title": {"color": theme.ink, "fontSize": 14, "fontWeight": 600, "offset": 10},
    }
