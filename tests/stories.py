"""What a report tells, without a workspace: as few texts as show it, and one that means harm."""

import numpy as np
import polars as pl

from tasks.core.evaluation.bootstrap import Interval
from tasks.core.evaluation.doubts import DoubtedText
from tasks.core.report.confusion import Confusion
from tasks.core.report.maps import Atlas
from tasks.core.report.page import Story
from tasks.core.views.active_learning import BOUNDARY, NOVEL

EVIL = "</script><script>document.title='stolen'</script> <img src=x onerror=alert(1)> & \"so\""


def story(labels=("cold", "warm"), text="it is what it is", n=12):
    names = [labels[i % len(labels)] for i in range(n)]
    rows = pl.DataFrame(
        {
            "id": [f"t{i}" for i in range(n)],
            "text": [text] * n,
            "label": names,
            "suggested": names,
            "confidence": [0.9] * n,
            "novelty": [0.1] * n,
            "known": [name if i % 2 else None for i, name in enumerate(names)],
        }
    )
    plane = np.random.default_rng(0).uniform(-1, 1, (n, 2))
    counts = np.eye(len(labels), dtype=np.int64) * 3
    counts[0, 1] = 1
    return Story(
        name="mood",
        wording="By how it sounds",
        known={f"t{i}": name for i, name in enumerate(names) if i % 2},
        counts={name: names[1::2].count(name) for name in labels},
        labels=sorted(labels),
        atlas=Atlas(rows, plane, -plane),
        likeliest={name: names.count(name) for name in labels},
        doubted=(1, [_doubt(text, labels)]),
        wanted={BOUNDARY: rows[:2], NOVEL: rows[2:4]},
        unlisted="",
        scores={"triplets": (Interval(60.0, 55.0, 66.0), Interval(90.0, 85.0, 94.0))},
        held_out=int(counts.sum()),
        confusion=Confusion(tuple(labels), counts, counts.sum(1)),
        unchecked="",
        notice="",
        facts={"Method": "discriminant"},
    )


def _doubt(text, labels):
    chances = {"p_label": 0.01, "p_likelier": 0.9, "margin": -0.89}
    return DoubtedText(id="t1", label=[labels[0]], likelier=labels[-1], **chances, text=text)
