import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.core.workspace import label_manifests, manifests, state_manifests
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import as_json
from tasks.core.workspace.manifest import (
    Manifest,
    manifest_bytes,
    manifest_of,
    object_of,
    parse_manifest,
    read_manifest,
    write_manifest,
)
from tasks.core.workspace.manifests import (
    NO_TRANSFORM,
    Card,
    EmbedStamp,
    Gate,
    IndexNote,
    IngestStamp,
    Scores,
    ViewStamp,
)
from tasks.core.workspace.state_manifests import CheckoutNote, RebuildNote

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "workspace-0.1.tar.xz"
KINDS = sorted(
    {
        one
        for module in (manifests, label_manifests, state_manifests)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Manifest) and one is not Manifest
    },
    key=lambda kind: kind.__name__,
)
MADE = {
    "data/corpus/ingest.json": IngestStamp,
    "data/metrics/corpus.json": manifests.CorpusFigures,
    "data/vectors/embed.json": EmbedStamp,
    "data/metrics/scores/": Scores,
    "data/views/": ViewStamp,
    "data/labels/tone.card.json": label_manifests.LabelCard,
    "/recorded.json": state_manifests.RecordNote,
    "/hold.json": manifests.Hold,
    "/transform.json": Card,
    ".refract/labelling/": state_manifests.StepValue,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def keys_of(kind):
    """Return the keys that a kind declares, as they are on disk."""
    fields = kind.model_fields.items()
    return [field.serialization_alias or name for name, field in fields if name != "format"]


@pytest.fixture(scope="module")
def made_before():
    """What version 0.1 has left, with the kind of each file that is a manifest."""
    found = []
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.name.endswith(".json") and ".lance/" not in member.name:
                kinds = [kind for part, kind in MADE.items() if part in member.name]
                if kinds:  # of a card beside its view, the last
                    found.append((member.name, kinds[-1], archive.extractfile(member).read()))
    return found


def test_every_manifest_of_an_earlier_workspace_is_understood_and_written_as_it_was(made_before):
    assert {kind for _, kind, _ in made_before} == set(MADE.values())
    for name, kind, content in made_before:
        read = parse_manifest(content, kind, name)
        assert manifest_bytes(read) == content, name
        assert read.odd == (), name
        if kind is not Card:
            assert not read.model_extra, name


def test_a_figure_that_is_written_as_a_whole_number_stays_one():
    found = {"accuracy": 0, "knn_ceiling": 90}
    assert manifest_bytes(manifest_of(found, Scores, "x.json")) == as_json(found)
    found = {"recall": 1, "recall_filtered": 0}
    assert manifest_bytes(manifest_of(found, IndexNote, "x.json")) == as_json(found)


@given(st.data())
def test_whatever_an_object_holds_is_written_as_it_was_read(data):
    kind = data.draw(st.sampled_from(KINDS))
    keys = st.sampled_from(keys_of(kind)) | st.text(max_size=5).filter(lambda key: key != "format")
    found = data.draw(st.dictionaries(keys, VALUES, min_size=1, max_size=6))
    named = {name for name in kind.model_fields if name not in keys_of(kind)}
    if named & found.keys():  # the name in Python of a key that is a keyword there
        return
    read = manifest_of(found, kind, "x.json")
    assert manifest_bytes(read) == as_json(found)
    again = parse_manifest(manifest_bytes(read), kind, "x.json")
    assert again == read and again.odd == read.odd


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_any_kind_is_written_as_it_was_read_whatever_stands_there(kind):
    for key in keys_of(kind):
        for value in (0, 7, -1, 0.5, 2.0, True, "", "7", [], [1], ["a"], {}, {"a": 1}, None):
            found = {key: value}
            assert manifest_bytes(manifest_of(found, kind, "x.json")) == as_json(found)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_that_was_not_given_and_no_key_has_to_be(kind, tmp_path):
    assert object_of(kind()) == {}
    write_manifest(tmp_path / "x.json", kind())
    assert (tmp_path / "x.json").read_bytes() == b"{}\n"
    assert read_manifest(tmp_path / "x.json", kind) is None


def test_keys_that_this_version_does_not_know_stay_where_the_rest_changes(tmp_path):
    file = tmp_path / "view.json"
    file.write_text('{"rows": 3, "version": 7, "mood": {"of": ["tomorrow"]}}')
    write_manifest(file, read_manifest(file, ViewStamp).changed(version=8))
    assert json.loads(file.read_text()) == {"rows": 3, "version": 8, "mood": {"of": ["tomorrow"]}}


def test_a_value_of_another_kind_counts_as_missing_and_stays_until_it_is_replaced():
    found = {"rows": "many", "transform": "abc", "dimensions": True}
    read = manifest_of(found, ViewStamp, "view.json")
    assert (read.rows, read.dimensions, read.transform) == (0, 0, "abc")
    assert read.odd == ("dimensions", "rows")
    assert object_of(read) == found
    assert object_of(read.changed(rows=4)) == found | {"rows": 4}
    assert read.changed(rows=4).odd == ("dimensions",)


def test_what_is_inside_an_object_of_another_kind_counts_as_missing_with_it():
    found = {"before": {"knn": "high"}, "after": {"knn": None, "n": 3}, "gate": {"state": 1}}
    scores = manifest_of(found, Scores, "mood.json")
    assert (scores.before, scores.after, scores.gate) == ({}, {"knn": None, "n": 3}, None)


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', "null", "3", "{}", "[" * 100_000])
def test_a_file_that_is_broken_empty_or_no_object_counts_as_none(content, tmp_path):
    file = tmp_path / "embed.json"
    file.write_text(content)
    assert read_manifest(file, EmbedStamp) is None
    assert parse_manifest(content.encode(), EmbedStamp, "HEAD:embed.json") is None


def test_a_missing_file_counts_as_none(tmp_path):
    assert read_manifest(tmp_path / "embed.json", EmbedStamp) is None
    assert parse_manifest(None, EmbedStamp, "HEAD:embed.json") is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_format_is_refused_in_one_line_that_says_what_to_do(kind, tmp_path):
    file = tmp_path / "x.json"
    newer = kind.NEWEST + 1
    file.write_text(f'{{"format": {newer}, "new": []}}')
    with pytest.raises(InputError) as caught:
        read_manifest(file, kind)
    assert str(caught.value) == (
        f"{file}: was written by a newer Refract (format {newer}, this one reads {newer - 1});"
        " upgrade Refract"
    )


def test_a_manifest_without_a_format_is_of_the_first():
    assert manifest_of({"rows": 1}, ViewStamp, "x").format == 1
    assert manifest_of({"rows": 1, "format": 1}, ViewStamp, "x").format == 1
    assert manifest_of({"rows": 1, "format": "two"}, ViewStamp, "x").odd == ("format",)


@pytest.mark.parametrize("name", ["../../elsewhere", "/etc", "a/b", "", ".", "a.b", "x" * 65])
def test_a_fingerprint_that_would_lead_elsewhere_counts_as_missing(name):
    assert manifest_of({"transform": name}, ViewStamp, "x").transform == NO_TRANSFORM
    assert manifest_of({"fingerprint": name}, Scores, "x").fingerprint is None
    assert manifest_of({"fingerprint": name}, Card, "x").fingerprint is None


def test_what_python_reserves_has_its_own_key_on_disk():
    note = CheckoutNote(to="v1", commit="c0ffee", back="main")
    assert object_of(note) == {"to": "v1", "commit": "c0ffee", "from": "main"}
    assert manifest_of({"space": "a", "from": 3}, RebuildNote, "x").version == 3


def test_a_record_is_frozen_strict_and_changed_by_its_own_names_alone():
    scores = Scores(texts=3, gate=Gate(state="proven", why=""))
    with pytest.raises(ValidationError, match="frozen"):
        scores.texts = 4
    with pytest.raises(ValidationError, match="valid integer"):
        Scores(texts="3")
    with pytest.raises(TypeError, match="Scores: has no text"):
        scores.changed(text=3)
    with pytest.raises(ValidationError, match="valid integer"):
        scores.changed(texts="4")
    assert scores.changed(texts=4).texts == 4 and scores.texts == 3


@pytest.mark.parametrize(
    ("noted", "told"),
    [
        ({"texts": 10, "accuracy": 100}, None),
        ({"texts": 19, "accuracy": 100}, None),
        ({"texts": 20, "accuracy": 80}, 80),
        ({"texts": 20, "accuracy": 80, "right": 70.5}, 70.5),
        ({"accuracy": 80}, None),
    ],
)
def test_of_too_few_labels_it_is_not_told_how_many_texts_are_right(noted, told):
    """Of held-out texts alone, as earlier versions had it, neither: of one, 100 % says nothing."""
    assert Scores(**noted).share_right == told
