"""An instruction becomes a searchable view; a kill costs no call, and the key is nowhere."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.cli import main
from flows.cli.verbs import cli
from flows.label import label
from flows.label_options import LabelOptions, fingerprint, label_verdict, make_job
from flows.run import run
from flows.state.staleness import wording
from tasks.core.labels.taxonomy import read_taxonomy
from tasks.core.settings.params import load_params
from tasks.core.transforms.card import read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json, write_json
from tasks.core.workspace.paths import Paths
from tests.children import Child
from tests.endpoint import KEY, Endpoint, Oracle, Reply, said
from tests.labelling import NAMES, PHRASES
from tests.world import documents, set_params, write_csv

TRUTH = {row["text"]: NAMES[row["mood"]] for row in documents()}
OF = {row["id"]: NAMES[row["mood"]] for row in documents()}
OPTIONS = LabelOptions(instruction="the mood of the writer", clusters=8)


@pytest.fixture
def endpoint(monkeypatch):
    with Endpoint(Oracle(TRUTH, phrases=PHRASES)) as made:
        monkeypatch.setenv("OPENAI_BASE_URL", made.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_MODEL", "oracle")
        monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
        yield made


def without_labels(root):
    for file in Paths(root).labels.iterdir():
        file.unlink()
    return root


@pytest.fixture
def shop(made):
    """A workspace with base vectors and no labels."""
    return without_labels(made)


def everything(root):
    """Return the bytes of every file below `root`."""
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


def refract(root, *words):
    cli.main([*words, "--root", str(root)], standalone_mode=False)


def asked_once(endpoint):
    return max(Counter(json.dumps(body) for body in endpoint.answered).values()) == 1


def test_an_instruction_becomes_a_view_in_a_workspace_that_has_only_documents(
    world, endpoint, capfd
):
    root, paths = without_labels(world), Paths(world)
    refract(root, "label", "mood", "--instruction", "the mood of the writer", "--clusters", "8")
    said = capfd.readouterr()
    assert "label mood: classify 72 of 72" in said.out
    assert "72 labels; next: refract run" in said.out
    assert wording(paths, load_params(paths.params), "mood") == "the mood of the writer"
    card = read_json(paths.label_card("mood"))
    assert (card["model"], card["source"]) == ("oracle", "model")
    assert card["host"] == endpoint.url.removeprefix("http://").removesuffix("/v1")
    assert {each["label"]: each["texts"] for each in card["taxonomy"]} == {
        "furious": 36,
        "happy": 36,
    }
    assert all(len(each["examples"]) == 3 for each in card["taxonomy"])
    assert card["spent"]["calls"] == len(endpoint.requests) == len(endpoint.answered)
    assert card["spent"]["tokens_in"] == endpoint.tokens_in
    run(root)
    hits = Workspace(root).view("mood").hits("you make me sick", 3, None)
    assert {hit["label"] for hit in hits} == {"furious"}
    assert KEY.encode() not in everything(root)
    assert KEY not in said.out + said.err
    refract(root, "label", "mood", "--instruction", "the mood of the writer", "--clusters", "8")
    assert "label mood: nothing to do, up to date" in capfd.readouterr().out
    assert len(endpoint.requests) == card["spent"]["calls"]


def doomed(root):
    os.environ["OPENAI_API_KEY"] = KEY  # its environment may be older than this test's
    label(root, "mood", OPTIONS)


@pytest.mark.server
@pytest.mark.parametrize("nth", [40, 110])
def test_a_run_that_was_killed_goes_on_where_it_was(shop, endpoint, nth, tmp_path):
    address = {"base_url": endpoint.url, "model": "oracle"}
    set_params(shop, label={"in_flight": 1, **address})

    def kill(number, _):
        if number != nth:
            return None
        os.kill(child.pid, signal.SIGKILL)
        return Reply(0)

    endpoint.misbehave = kill
    log = tmp_path / "child.log"
    child = Child(PREFECT_API_URL.value(), shop, log, doomed, shop)
    assert child.wait(120) == -signal.SIGKILL, log.read_text()
    assert not Paths(shop).label_file("mood").exists()
    report = label(shop, "mood", OPTIONS)
    assert sum(report.labels.values()) == 72
    assert asked_once(endpoint)
    assert report.spent.calls == len(endpoint.requests) == len(endpoint.answered) + 1
    assert report.spent.outcomes["sent"] == 1  # the call that the kill cut off


def test_a_dry_run_makes_no_call_and_writes_no_label(shop, endpoint, capfd):
    refract(shop, "label", "mood", "--instruction", "the mood", "--sample", "30", "--dry-run")
    said = capfd.readouterr().out
    assert [line.split()[:2] for line in said.splitlines() if " 30 " in line] == [
        ["summarise", "30"],
        ["classify", "30"],
    ]
    assert not endpoint.requests
    assert not any(Paths(shop).labels.iterdir())


def test_a_person_edits_the_labels_and_corrects_some_texts(shop, endpoint, capfd):
    paths = Paths(shop)
    refract(shop, "label", "mood", "--instruction", "the mood", "--clusters", "8", "--review")
    said = capfd.readouterr().out
    assert "data/labels/mood.taxonomy.txt: the labels; edit them, then: refract label mood" in said
    assert said.rstrip().endswith("mood.taxonomy.txt --instruction 'the mood' --clusters 8")
    assert not paths.label_file("mood").exists()
    file = paths.taxonomy("mood")
    assert "\nfurious: texts about furious\n" in file.read_text()
    file.write_text("furious\nhappy: whoever is glad\nbored\n")
    calls = len(endpoint.requests)
    with pytest.raises(InputError, match=r"mood\.taxonomy\.txt: found labels that were edited"):
        label(shop, "mood", LabelOptions(instruction="the mood", clusters=8, review=True))
    by_hand = [{"id": "t00", "label": "bored"}, {"id": "t01", "label": OF["t01"]}]
    write_csv(paths.labels / "mood" / "ada.csv", by_hand, ["id", "label"])
    report = label(shop, "mood", LabelOptions(instruction="the mood", taxonomy=file))
    assert len(endpoint.requests) == calls + 72
    assert report.labels == {"furious": 36, "happy": 36, "bored": 0}
    assert report.notes["human and model agree"] == report.notes["human and model differ"] == 1
    run(shop)
    assert read_card(paths.transform("mood")).labels == ["bored", "furious", "happy"]


def test_labels_that_an_instruction_lists_are_taken_also_for_a_review(shop, endpoint, capfd):
    words = ("label", "mood", "--instruction", "the mood: furious or happy")
    refract(shop, *words, "--review")
    assert "label mood: list 2 of 2" in capfd.readouterr().out
    found = read_taxonomy(Paths(shop).taxonomy("mood"))
    assert [each.name for each in found] == ["furious", "happy"]
    assert not endpoint.requests
    refract(shop, *words)
    steps = [line for line in capfd.readouterr().out.splitlines() if " of " in line]
    assert [line.split(",")[0] for line in steps[:3]] == [
        "label mood: sample 72 of 72",
        "label mood: list 2 of 2",
        "label mood: classify 72 of 72",
    ]
    assert len(endpoint.requests) == 72
    card = read_json(Paths(shop).label_card("mood"))
    assert [step["step"] for step in card["steps"]] == ["sample", "list", "classify"]


def test_an_instruction_of_several_lines_heads_the_labels_as_a_comment(shop, endpoint):
    options = LabelOptions(instruction="the mood\nsuch as: fury", clusters=8, review=True)
    file = label(shop, "mood", options).file
    assert file.read_text().startswith("# the mood such as: fury\n# ")
    assert {each.name for each in read_taxonomy(file)} == {"furious", "happy"}
    assert label(shop, "mood", options).file == file  # unedited, it may be written again


def test_what_a_model_labelled_is_told_also_where_another_file_cannot_be_read(shop, endpoint):
    (Paths(shop).labels / "mood").mkdir()
    (Paths(shop).labels / "mood" / "ada.csv").write_text("colour,number\nred,1\n")
    report = label(shop, "mood", OPTIONS)
    assert sum(report.labels.values()) > 0 and report.spent.calls > 0
    assert "ada.csv: found columns 'colour', 'number'" in report.trouble


def test_labels_without_a_model_are_weak_and_marked(shop, monkeypatch, tmp_path):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(InputError, match=r"make weak labels without a model by --zero-shot"):
        label(shop, "mood", OPTIONS)
    file = tmp_path / "labels.txt"
    file.write_text("furious: what a disgrace, outrageous\nhappy: thank you, lovely, a delight\n")
    report = label(shop, "mood", LabelOptions(zero_shot=file))
    rows = [json.loads(line) for line in report.file.read_text().splitlines()]
    assert {row["source"] for row in rows} == {"zero-shot"}
    assert 20 <= len(rows) <= 24  # three in ten of each label, rounded up
    assert sum(OF[row["id"]] == row["label"] for row in rows) >= 0.7 * len(rows)
    assert read_json(Paths(shop).label_card("mood"))["source"] == "zero-shot"


def test_weak_labels_do_not_take_the_place_of_a_models(shop, endpoint, tmp_path):
    made = label(shop, "mood", OPTIONS).file
    before = made.read_bytes()
    file = tmp_path / "labels.txt"
    file.write_text("furious: what a disgrace\nhappy: thank you\n")
    with pytest.raises(InputError, match=r"mood\.jsonl: found labels by a model"):
        label(shop, "mood", LabelOptions(zero_shot=file))
    assert made.read_bytes() == before


def test_a_key_that_is_refused_is_named_by_its_variable_alone(shop, endpoint, monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-but-still-secret")
    with pytest.raises(InputError, match="environment variable OPENAI_API_KEY; set it"):
        refract(shop, "label", "mood", "--instruction", "the mood")
    said = capfd.readouterr()
    assert "still-secret" not in said.out + said.err
    assert b"still-secret" not in everything(shop)


def test_a_model_that_only_thinks_ends_in_one_line_and_is_asked_again_once_mended(
    shop, endpoint, monkeypatch, capfd
):
    command = ["refract", "label", "mood", "--instruction", "the mood", "--clusters", "8"]
    monkeypatch.setattr("sys.argv", [*command, "--root", str(shop)])
    endpoint.misbehave = lambda *_: said("<think>Hm, the text", "length")
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capfd.readouterr()
    assert ended.value.code == 2 and not Paths(shop).label_file("mood").exists()
    assert "on thinking; expected answers; raise label.max_tokens" in shown.err
    assert [line[:11] for line in shown.err.splitlines()] == ["label mood:", "refract: th"]
    endpoint.misbehave = None
    main()
    shown = capfd.readouterr()
    assert "72 labels; next: refract run" in shown.out
    card = read_json(Paths(shop).label_card("mood"))
    for each in card["taxonomy"]:  # as versions left it that kept empty answers
        each["texts"] = 0
    write_json(Paths(shop).label_card("mood"), card)
    verdict = label_verdict(Paths(shop), "mood", card["made_from"])
    assert verdict.stale and verdict.reason == "no text has a label"
    assert "a higher label.max_tokens saves these calls" in shown.out


def test_what_a_budget_leaves_open_is_made_up_for_later(shop, endpoint):
    paths = Paths(shop)
    set_params(shop, label={"max_calls": 50})
    with pytest.raises(InputError, match=r"budget is spent \(label.max_calls 50.* 50 of 72 texts"):
        label(shop, "mood", OPTIONS)
    set_params(shop, label={"max_calls": 120})
    report = label(shop, "mood", OPTIONS)
    assert len(endpoint.requests) == 120
    assert sum(report.labels.values()) == report.steps[-1].done < 72
    set_params(shop, label={"max_calls": None})
    params = load_params(paths.params)
    now = fingerprint(make_job(paths, params, "mood", OPTIONS))
    assert label_verdict(paths, "mood", now).reason == "some texts are without an answer"
    assert sum(label(shop, "mood", OPTIONS).labels.values()) == 72
    assert asked_once(endpoint)


def test_the_settings_of_the_command_are_told_apart(shop):
    with pytest.raises(InputError, match="more than one of --taxonomy, --zero-shot and --review"):
        refract(shop, "label", "mood", "--taxonomy", "a.txt", "--review")
    with pytest.raises(InputError, match=r"'mood': no wording; expected .* --instruction"):
        refract(shop, "label", "mood", "--dry-run")
    params = Paths(shop).params
    params.write_text(params.read_text().replace("instructions: {}", "instructions: {mood: mood}"))
    with pytest.raises(InputError, match="OPENAI_BASE_URL"):  # a wording, however short
        refract(shop, "label", "mood", "--dry-run")
    assert not Path(Paths(shop).answer_cache).exists()
