"""The colours of a report, for light and dark.

Nine labels are told apart by colour: the qualitative scheme "muted" of Paul Tol (Colour Schemes,
SRON technical note, 2021), made for colour-blind readers; in the dark its deepest tones are lifted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Theme:
    """What a chart is drawn with: any colour that the renderer understands."""

    ground: str
    paper: str
    ink: str
    faint: str
    rest: str
    accent: str
    labels: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """Return the colours as CSS custom properties."""
        named = {key: value for key, value in asdict(self).items() if key != "labels"}
        return named | {f"label-{n}": colour for n, colour in enumerate(self.labels)}


LIGHT = Theme(
    ground="#f6f7f9",
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
    ground="#101216",
    paper="#181b21",
    ink="#e9ebef",
    faint="#a0a7b4",
    rest="#5d6472",
    accent="#8fb0ff",
    labels=(
        *("#7f6ee0", "#e07a8a", "#4fc0ae", "#ecd070", "#9ad8f5"),
        *("#b8447d", "#35a35c", "#d07ac2", "#8f8f2e"),
    ),
)
COLOURED = len(LIGHT.labels)

CSS = Theme(
    ground="var(--ground)",
    paper="var(--paper)",
    ink="var(--ink)",
    faint="var(--faint)",
    rest="var(--rest)",
    accent="var(--accent)",
    labels=tuple(f"var(--label-{n})" for n in range(COLOURED)),
)
"""The colours as a page names them, so that it follows the reader's scheme without a script."""
