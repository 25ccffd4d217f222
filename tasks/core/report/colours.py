"""The colours of a report, for light and dark.

Nine labels are told apart by colour: the qualitative scheme "muted" of Paul Tol (Colour Schemes,
SRON technical note, 2021), made for colour-blind readers; in the dark its deepest tones are lifted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """What a chart is drawn with: any colour that the renderer understands."""

    paper: str
    ink: str
    faint: str
    rest: str
    accent: str
    labels: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """Return the colours as CSS custom properties."""
        named = {key: getattr(self, key) for key in ("paper", "ink", "faint", "rest", "accent")}
        return named | {f"label-{n}": colour for n, colour in enumerate(self.labels)}


LIGHT = Theme(
    paper="#ffffff",
    ink="#1d2129",
    faint="#646b78",
    rest="#c3c7cf",
    accent="#33508f",
    labels=(
        *("#332288", "#cc6677", "#44aa99", "#ddaa33", "#88ccee"),
        *("#882255", "#117733", "#aa4499", "#999933"),
    ),
)
DARK = Theme(
    paper="#16191f",
    ink="#e9ebef",
    faint="#a0a7b4",
    rest="#4a505c",
    accent="#8fb0ff",
    labels=(
        *("#7f6ee0", "#e07a8a", "#4fc0ae", "#e0b548", "#9ad8f5"),
        *("#b8447d", "#35a35c", "#d07ac2", "#b3b34d"),
    ),
)
COLOURED = len(LIGHT.labels)

CSS = Theme(
    *(f"var(--{key})" for key in ("paper", "ink", "faint", "rest", "accent")),
    labels=tuple(f"var(--label-{n})" for n in range(COLOURED)),
)
"""The colours as a page names them, so that it follows the reader's scheme without a script."""
