"""A view judged: on what it has not seen, beside the base vectors and its previous version."""

import json
import shutil
from dataclasses import asdict

import pytest
from click.testing import CliRunner

from flows import Workspace
from flows.cli.verbs import cli
from flows.fit import fit
from flows.materialise import materialise
from flows.queries.evaluate import write_evaluation
from flows.state.live_transform import live_transform
from tasks.core.evaluation import bootstrap, held_out
from tasks.core.transforms import training_set
from tasks.core.transforms.card import CARD, experts_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import Hashes, read_json
from tasks.core.workspace.paths import Paths
from tests.flows.history import call, dvc
from tests.world import documents, set_params, write_csv, write_labels


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20)
    monkeypatch.setattr(bootstrap, "DRAWN", 2_000)


@pytest.fixture
def fits(monkeypatch):
    """The labelled vectors of each fit, as they are made."""
    seen, real = [], training_set.fit

    def fit(method, x, *rest, **more):
        seen.append({row.tobytes() for row in x})
        return real(method, x, *rest, **more)

    monkeypatch.setattr(training_set, "fit", fit)
    return seen


def evaluated(root, truth=None):
    return Workspace(root).view("mood").evaluate(truth).to_json()


def truth_file(path, rows, label="mood"):
    return write_csv(path, [{**row, "label": row[label]} for row in rows], ["id", "label"])


def values(figures):
    return {key: one["value"] for key, one in figures.items()}


def test_the_figures_on_held_out_labels_are_those_that_the_fit_has_noted(pooled):
    found = evaluated(pooled)
    noted = read_json(Paths(pooled).metric("mood"))
    for name, when in (("identity", "before"), ("view", "after")):
        assert values(found["scores"][name]) | {"n": noted["held_out"]} == noted[when]
    assert (found["texts"], found["left_out"]) == (noted["held_out"], {})
    assert found["accuracy"] == {"view": noted["accuracy"]}
    assert found["previous"] == {"not_compared": "none is kept beside the view"}
    assert list(found["gains"]) == ["identity"]
    experts = experts_of(Paths(pooled).transform("mood"))
    assert found["experts"] == [asdict(each) for each in experts]
    assert sum(each["weight"] > 0 for each in found["experts"]) >= 1


def test_texts_of_several_labels_are_scored_by_one_each(made):
    paths, rows = Paths(made), documents()
    lists = [{"id": row["id"], "labels": [row["topic"], row["mood"]]} for row in rows]
    paths.label_file("both").write_text("\n".join(map(json.dumps, lists)))
    fit(made, ["both"])
    materialise(made, ["both"])
    noted = read_json(paths.metric("both"))
    assert noted["texts"] == len(rows)
    assert noted["labels"] == len({row[key] for row in rows for key in ("topic", "mood")})
    found = Workspace(made).view("both").evaluate().to_json()
    assert found["texts"] == noted["held_out"] < len(rows) / 2
    for name, when in (("identity", "before"), ("view", "after")):
        assert values(found["scores"][name]) | {"n": noted["held_out"]} == noted[when]


def test_each_version_is_fitted_without_the_texts_that_are_scored(root, fits, monkeypatch):
    scored = []
    real = held_out.bootstrap_scores
    monkeypatch.setattr(
        held_out,
        "bootstrap_scores",
        lambda spaces, *rest: scored.append(spaces) or real(spaces, *rest),
    )
    found = evaluated(root)
    assert found["previous"]["texts"] == 20
    assert list(found["scores"]) == ["identity", "previous", "view"]
    assert list(found["gains"]) == ["identity", "previous"]
    assert [len(rows) for rows in fits] != [30, 20]
    held = {row.tobytes() for row in scored[0]["identity"]}
    assert len(held) == found["texts"] > 0
    assert all(held.isdisjoint(rows) for rows in fits)


def test_a_previous_version_of_other_settings_is_not_compared_but_with_a_truth_file(root, tmp_path):
    live = read_json(Paths(root).view_stamp("mood"))["transform"]
    for card in Paths(root).views.glob("mood.transforms/*/transform.json"):
        if card.parent.name != live:
            other = read_json(card)
            other["made_from"]["params"] = "others"
            card.unlink()
            card.write_text(json.dumps(other))
    assert "no longer those of params.yaml" in evaluated(root)["previous"]["not_compared"]
    found = evaluated(root, truth_file(tmp_path / "truth.csv", documents()))
    assert found["previous"]["texts"] == 20


def test_of_a_truth_file_only_texts_that_no_version_has_seen_are_scored(root, tmp_path):
    rows = documents()
    file = truth_file(tmp_path / "truth.csv", [*rows, {"id": "nobody", "mood": "glad"}])
    found = evaluated(root, file)
    assert found["texts"] == 72 - 30
    assert found["left_out"] == {"id not in the corpus": 1, "labelled for the view": 30}


def test_what_the_previous_version_has_seen_and_the_live_one_has_not_is_left_out(made, tmp_path):
    rows = documents()
    labels = Paths(made).labels / "mood.csv"
    kept = Paths(made).views / "mood.transforms"
    live = kept / read_json(Paths(made).view_stamp("mood"))["transform"]
    other = shutil.copytree(live, kept / "0ther")
    seen = truth_file(tmp_path / "mood.csv", rows[:30]).read_bytes()
    (other / "labels" / "mood.csv").write_bytes(seen)
    card = read_json(other / "transform.json")
    card["made_from"]["labels"] = Hashes(tmp_path / "memory").of(other / "labels" / "mood.csv")
    (other / "transform.json").write_text(json.dumps(card))
    unseen = [row for row in rows if row["id"] not in labels.read_text()]
    both = [row for row in unseen if row not in rows[:30]]
    found = evaluated(made, truth_file(tmp_path / "truth.csv", unseen))
    assert found["texts"] == len(both)
    assert found["left_out"] == {"labelled for the previous version": len(unseen) - len(both)}


def test_labels_that_changed_since_are_not_mistaken_for_those_the_view_was_made_from(made):
    before = evaluated(made)
    write_labels(made, "mood", documents()[:20])
    assert evaluated(made) == before
    for copy in Paths(made).views.glob("mood.transforms/*/labels/mood.csv"):
        copy.unlink()
    with pytest.raises(InputError, match="labels that it was made from are not known"):
        evaluated(made)


def test_a_folder_of_label_files_is_kept_as_a_whole(made):
    labels = Paths(made).labels
    (labels / "mood.csv").unlink()
    rows = documents()
    for n, part in enumerate((rows[:30], rows[30:60])):
        truth_file(labels / "mood" / f"part{n}.csv", part)
    fit(made)
    materialise(made)
    before = evaluated(made)
    shutil.rmtree(labels / "mood")
    assert evaluated(made) == before
    assert len(Workspace(made).view("mood").suggest(100)) == len(rows) - 60


def test_settings_that_changed_since_ask_for_a_run_or_a_truth_file(made, tmp_path):
    set_params(made, fit={"seed": 2})
    with pytest.raises(InputError, match="run 'refract run', or give a --truth file"):
        evaluated(made)
    assert evaluated(made, truth_file(tmp_path / "truth.csv", documents()))["texts"] == 24


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "x1", "mood": "glad"}], "found 0 usable of 1 rows"),
        ([{**row, "mood": "blue"} for row in documents()], "none of its labels"),
        ([row for row in documents() if row["mood"] == "glad"], r"with 1 labels \('glad'\)"),
        (documents()[:1], "found 0 texts to score; left out: 1 labelled for the view"),
    ],
)
def test_a_truth_file_that_nothing_can_be_scored_by_is_refused(made, tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        evaluated(made, truth_file(tmp_path / "truth.csv", rows))


def test_held_out_labels_that_cannot_be_scored_are_refused(made):
    set_params(made, fit={"held_out": 0.001})
    fit(made, ["mood"])
    materialise(made, ["mood"])
    with pytest.raises(InputError, match="mood: found 0 texts to score"):
        evaluated(made)


def test_a_view_that_does_not_exist_and_the_generic_space_are_refused(made):
    with pytest.raises(InputError, match="there is none; expected one of: base, mood, topic"):
        Workspace(made).view("nope").evaluate()
    with pytest.raises(InputError, match="is what a view is held against"):
        Workspace(made).view("base").evaluate()


def test_an_evaluation_is_shown_as_a_table_and_as_json(pooled, tmp_path):
    def ask(*arguments):
        done = CliRunner().invoke(cli, ["evaluate", "mood", *arguments, "--root", str(pooled)])
        assert done.exit_code == 0, done.output
        return done.output

    shown = ask()
    count = json.loads(ask("--json"))["texts"]
    assert f"mood (auto): {count} texts with 2 labels, held-out labels" in shown
    assert "previous version: not compared, none is kept beside the view" in shown
    file = truth_file(tmp_path / "truth.csv", documents())
    found = json.loads(ask("--truth", str(file), "--json", "--out", str(tmp_path / "out.json")))
    assert found == read_json(tmp_path / "out.json")
    assert found["scores"]["view"]["triplets"].keys() == {"value", "low", "high"}


def test_an_evaluation_says_how_many_labels_seem_drawn_by_chance(pooled):
    folder = live_transform(Paths(pooled), "mood")
    for drawn, said in ((0.0, []), (0.2134, ["  labels: 21 % seem drawn by chance"])):
        card = read_json(folder / CARD)
        card["settings"]["settings"]["drawn_by_chance"] = drawn
        (folder / CARD).unlink()  # a link to DVC's cache in other workspaces
        (folder / CARD).write_text(json.dumps(card))
        assert evaluated(pooled)["drawn_by_chance"] == drawn
        done = CliRunner().invoke(cli, ["evaluate", "mood", "--root", str(pooled)])
        assert [line for line in done.output.splitlines() if "by chance" in line] == said


@pytest.mark.dvc
def test_an_evaluation_that_is_kept_leaves_the_state_clean_and_dvc_reads_it(root):
    paths = Paths(root)
    file = paths.evaluations / "mood.json"
    write_evaluation(paths, file, Workspace(root).view("mood").evaluate())
    assert "up to date" in dvc(root, "status")
    shown = call(root, "dvc", "metrics", "show", "--json", paths.inside(file))
    assert read_json(file)["scores"]["view"]["knn"]["value"] in _numbers(json.loads(shown))


def _numbers(value):
    if isinstance(value, dict):
        return [number for part in value.values() for number in _numbers(part)]
    return [value]


def test_an_evaluation_never_takes_the_place_of_what_a_verb_makes(made):
    paths, found = Paths(made), Workspace(made).view("mood").evaluate()
    taken = (paths.metric("mood"), paths.labels / "mood.json", paths.transform("mood"))
    for file in (*taken, paths.score_table, paths.rejection("mood"), paths.state / "x.json"):
        before = file.read_bytes() if file.is_file() else None
        with pytest.raises(InputError, match=r"expected one of your own; .* such as data/metrics"):
            write_evaluation(paths, file, found)
        assert (file.read_bytes() if file.is_file() else None) == before
    with pytest.raises(InputError, match=r"found a folder; expected a file; .* such as data"):
        write_evaluation(paths, made, found)


@pytest.mark.parametrize("change", [lambda each: each | {"more": 1}, lambda each: {"weight": 1.0}])
def test_a_card_that_does_not_say_what_its_experts_are_worth_is_refused(pooled, change):
    folder = live_transform(Paths(pooled), "mood")
    card = read_json(folder / CARD)
    card["settings"]["settings"]["worth"][0] = change(card["settings"]["settings"]["worth"][0])
    (folder / CARD).unlink()  # a link to DVC's cache in other workspaces
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(InputError, match=r"found an unusable transform \(settings\..*worth"):
        evaluated(pooled)
