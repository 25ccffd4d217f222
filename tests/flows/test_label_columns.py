"""Labels in a column of the documents: from the setting to the view, and back to a refusal."""

import json
import re
import shutil
import time

import pytest
from click.testing import CliRunner

from flows.cli.verbs import cli
from flows.fit import fit
from flows.queries.report import report
from flows.queries.suggest import worth_labelling
from flows.run import run
from flows.state import label_changes
from flows.state.label_sources import label_sources
from flows.state.staleness import FRESH, fit_fingerprints, fit_verdict, to_retire
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.store import tables
from tasks.core.transforms.card import CARD
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.world import documents, make_world, set_params, write_csv

COLUMNS = ["id", "text", "channel", "Topic", "Own", "Few", "Same"]


def write(root, change=None):
    """Write documents whose column Topic holds a label for two thirds of them."""
    rows = documents()
    for n, row in enumerate(rows):
        row["Topic"] = row["topic"] if n % 3 else ""
        row |= {"Own": f"ticket {n}", "Few": "" if n > 2 else "few", "Same": "x"}
    rows[1]["Topic"] = change or rows[1]["Topic"]
    write_csv(root / "data" / "raw" / "messages.csv", rows, COLUMNS)


@pytest.fixture(scope="module")
def _labelled(tmp_path_factory, tiny_model):
    """A workspace whose only labels are in a column, after `fit --from-column` and a run."""
    root = make_world(tmp_path_factory.mktemp("column") / "world", str(tiny_model))
    shutil.rmtree(root / "data" / "labels")
    (root / "data" / "labels").mkdir()
    write(root)
    run(root)
    done = refract(root, "fit", "subject", "--from-column", "topic")
    assert done.exit_code == 0, done.output
    run(root)
    return root, done.output


@pytest.fixture
def labelled(_labelled, tmp_path):
    return shutil.copytree(_labelled[0], tmp_path / "world")


def refract(root, *arguments):
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)])


def verdict(root):
    paths, params = Paths(root), load_params(Paths(root).params)
    file = label_sources(paths)["subject"]
    return fit_verdict(paths, "subject", fit_fingerprints(paths, params, "subject", file))


def test_the_column_is_kept_in_params_and_makes_a_view(_labelled):
    root, said = _labelled
    assert "params.yaml: instructions.subject.column is 'topic' now" in said
    assert "  48 of 72 texts have a value there; 3 labels\n" in said
    assert "fit subject: fitted; 48 texts with 3 labels" in said
    assert said.endswith("no view yet of subject; to see it: refract run\n")
    state = read_status(Paths(root), load_params(Paths(root).params)).instructions["subject"]
    assert (state.rows, sum(state.labels.values())) == (72, 48)
    assert state.transform == FRESH


def test_the_same_again_changes_nothing(labelled):
    before = Paths(labelled).params.read_bytes()
    done = refract(labelled, "fit", "subject", "--from-column", "topic")
    assert (done.exit_code, Paths(labelled).params.read_bytes()) == (0, before)
    assert "nothing to do" in done.output


def test_a_value_that_changes_in_the_documents_makes_the_view_stale(labelled):
    write(labelled, change="account")
    assert not verdict(labelled).stale
    report = run(labelled)
    assert [each.name for each in report.fit.fitted] == ["subject"]
    assert report.fit.fitted[0].refitted
    assert [each.name for each in report.materialise] == ["subject"]


def test_rows_of_texts_that_are_not_there_are_told_with_the_way_on(labelled):
    rows = [{"id": "t00", "label": "refund"}, {"id": "gone", "label": "account"}]
    write_csv(labelled / "data" / "labels" / "subject" / "more.csv", rows, ["id", "label"])
    said = refract(labelled, "fit", "subject").output
    assert "  label rows not used: id not in the corpus 1\n" in said
    assert "  id not in the corpus: take in their documents by 'refract ingest', or" in said


def test_fit_says_that_search_shows_the_view_of_before_until_it_is_materialised(labelled):
    rows = [{"id": "t00", "label": "refund"}, {"id": "t03", "label": "account"}]
    write_csv(labelled / "data" / "labels" / "subject" / "more.csv", rows, ["id", "label"])
    line = "search still shows subject as before this; to see the new: refract run\n"
    assert refract(labelled, "fit", "subject").output.endswith(f"; label more\n{line}")
    assert refract(labelled, "fit").output.endswith(line)  # nothing to do, and it is still so
    assert line not in refract(labelled, "fit", "--json").output
    refract(labelled, "materialise", "subject")
    assert line not in refract(labelled, "fit").output


def test_status_says_what_chance_gives_where_held_out_texts_are_few(labelled):
    said = refract(labelled, "status").output
    line = r"subject: V-measure of 7 held-out texts with 3 labels is too high, chance alone gives"
    assert re.search(rf"\n  {line} about 26\n", said)  # (3 - 1)² / (2 · 7 · ln 3)
    report(labelled, "subject")
    page = Paths(labelled).report("subject").read_text("utf-8")
    assert "chance alone gives about 26" in page


def test_status_of_scores_that_an_earlier_version_wrote(labelled):
    file, card = Paths(labelled).metric("subject"), Paths(labelled).transform("subject") / CARD
    scores = read_json(file)
    assert scores["held_out_labels"] == 3
    texts = re.compile(r"subject .* 48 +72 ")
    assert texts.search(refract(labelled, "status").output)
    earlier = {k: v for k, v in scores.items() if k not in ("texts", "held_out_labels")}
    file.write_text(json.dumps(earlier))
    card.write_text(json.dumps({k: v for k, v in read_json(card).items() if k != "scores"}))
    said = refract(labelled, "status").output
    assert texts.search(said)
    assert "chance alone" not in said


def test_chance_counts_the_labels_of_held_out_texts_alone(labelled):
    file = Paths(labelled).metric("subject")
    file.write_text(json.dumps(read_json(file) | {"held_out_labels": 2}))
    assert "7 held-out texts with 2 labels is too high" in refract(labelled, "status").output


def test_a_column_is_hashed_once_as_long_as_the_corpus_is_the_same(labelled, monkeypatch):
    time.sleep(0.06)  # what has just changed is not remembered
    assert verdict(labelled).reason == "up to date"

    def unread(part):
        raise AssertionError(part)

    monkeypatch.setattr(label_changes, "content", unread)
    assert verdict(labelled).reason == "up to date"
    tables.open_table(Paths(labelled).corpus_table).delete("id = 't00'")
    with pytest.raises(AssertionError, match=r"Part\("):
        verdict(labelled)


def test_a_column_that_goes_is_a_rejection_that_status_tells(labelled):
    rows = documents()
    write_csv(labelled / "data" / "raw" / "messages.csv", rows, ["id", "text", "channel"])
    outcome = run(labelled).fit
    assert "found no column 'topic' in the corpus" in outcome.rejected["subject"]
    done = refract(labelled, "status", "--json")
    reason = json.loads(done.output)["instructions"]["subject"]["transform"]["reason"]
    assert reason.startswith("rejected: params.yaml: found no column 'topic'")


def test_without_a_corpus_a_column_is_not_gone_and_its_view_stays(labelled):
    set_params(labelled, materialise={"retire": True})
    paths = Paths(labelled)
    shutil.rmtree(paths.corpus_table)
    assert to_retire(paths, load_params(paths.params)) == []


def test_what_the_transform_saw_is_kept_beside_it_and_evaluated(labelled):
    done = refract(labelled, "evaluate", "subject", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["texts"] > 0


def test_texts_with_a_value_are_not_suggested(labelled):
    found = worth_labelling(Paths(labelled), "subject", 100, 0.2)
    assert set(found["id"]) == {f"t{n:02}" for n in range(0, 72, 3)}


def test_files_of_the_same_name_count_together_with_the_column(labelled):
    rows = [{"id": "t00", "label": "refund"}, {"id": "t03", "label": "account"}]
    write_csv(labelled / "data" / "labels" / "subject" / "more.csv", rows, ["id", "label"])
    report = fit(labelled)
    assert report.fitted[0].texts == 50
    assert verdict(labelled).reason == "up to date"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--from-column", "topic"], "found 0 instructions; expected one that the column"),
        (["fit", "a", "b", "--from-column", "topic"], "found 2 instructions; expected one"),
        (["fit", "mood", "--from-column", "Mood"], "found no column 'Mood' in the corpus"),
        (["fit", "Mood", "--from-column", "topic"], "instruction 'Mood'"),
        (
            ["fit", "own", "--from-column", "Own"],
            "'Own' of the documents: found 72 labels on 72 texts, 0 of which share theirs with"
            " another; expected 10% at least: what is on one text alone tells nothing of others",
        ),
        (["fit", "own", "--from-column", "Few"], "found 3 usable of 3 rows; expected at least 10"),
        (["fit", "own", "--from-column", "Same"], r"found 1 label \('x'\) on 72 rows; expected"),
    ],
)
def test_a_column_that_cannot_be_meant_is_refused_before_anything_is_written(
    labelled, arguments, message
):
    before = Paths(labelled).params.read_bytes()
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(cli, [*arguments, "--root", str(labelled)], catch_exceptions=False)
    assert Paths(labelled).params.read_bytes() == before


def test_files_of_its_name_count_together_before_a_column_is_kept(labelled):
    rows = [{"id": f"t{n:02}", "label": "many" if n % 2 else "few"} for n in range(3, 15)]
    write_csv(labelled / "data" / "labels" / "own" / "more.csv", rows, ["id", "label"])
    said = refract(labelled, "fit", "own", "--from-column", "Few").output
    assert "  15 rows have a label, those of the label files of its name counted; 2 labels" in said


def test_a_label_file_with_a_label_of_its_own_for_each_text_is_rejected_before_a_fit(labelled):
    rows = [{"id": f"t{n:02}", "label": f"ticket {n // 2 if n < 4 else n}"} for n in range(72)]
    write_csv(labelled / "data" / "labels" / "own.csv", rows, ["id", "label"])
    reason = fit(labelled, ["own"]).rejected["own"]
    assert "own.csv: found 70 labels on 72 texts, 4 of which share theirs with another" in reason


def test_without_a_corpus_there_is_nothing_to_name(world):
    with pytest.raises(InputError, match=r"no corpus yet; .*run 'refract ingest'"):
        CliRunner().invoke(
            cli,
            ["fit", "mood", "--from-column", "x", "--root", str(world)],
            catch_exceptions=False,
        )
