"""What a person sees of a labelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli.show.label_reports import labelled
from flows.label import LabelReport
from flows.label_options import LabelOptions
from tasks.core.annotation.job import Step
from tasks.core.workspace.paths import Paths


@pytest.mark.parametrize(
    ("counts", "warned"),
    [({"calm": 90, "cross": 10}, True), ({"calm": 89, "cross": 11}, False), ({"calm": 0}, False)],
)
def test_a_label_that_nearly_all_texts_have_is_doubted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], counts: dict[str, int], warned: bool
) -> None:
    step = Step("classify", 100, 100)
    file = tmp_path / "labels" / "mood.parquet"
    report = LabelReport("mood", file, [step], counts, None, 1.0)
    labelled(report, LabelOptions(), Paths(tmp_path))
    assert ("nearly all texts are calm" in capsys.readouterr().out) == warned
