"""What a flow run of one instruction does, called as Prefect calls it."""

from flows.run import run
from flows.serving import label_runs
from flows.state.staleness import anything_left
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths


def test_a_label_file_that_was_refused_and_is_gone_leaves_nothing_to_record(made, monkeypatch):
    monkeypatch.setattr(label_runs, "as_child", lambda: None)  # these tests are no flow run
    paths = Paths(made)
    broken = paths.labels / "broken.csv"
    broken.write_text("id,label\nt00,glad\n")
    assert "broken" in run(made).fit.rejected
    broken.unlink()
    assert anything_left(paths, load_params(paths.params))
    label_runs.labels(made, "broken")
    assert not anything_left(paths, load_params(paths.params))
