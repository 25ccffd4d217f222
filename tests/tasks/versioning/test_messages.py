from tasks.core.workspace.manifests import Scores
from tasks.versioning.messages import (
    Figures,
    Version,
    changed_views,
    live_line,
    log_message,
    tag_message,
)


def scores(fingerprint="a", texts=412, before=31.2, after=58.1):
    measures = {"v_measure": before, "triplets": 60.0, "knn": None}
    return Scores(
        fingerprint=fingerprint,
        labels=5,
        texts=texts,
        method="discriminant",
        before=measures,
        after=measures | {"v_measure": after},
    )


def test_one_refitted_view_reads_like_a_line_of_a_log():
    before = Figures(1600, {"emotion": scores("a", after=55.1)})
    after = Figures(1600, {"emotion": scores("b")})
    message = log_message("labels/emotion", before, after, {"emotion": Version(7)}, ["dvc.lock"])
    head, blank, line = message.splitlines()
    assert head == "labels/emotion: 412 labels, V 31 → 58, view v7"
    assert blank == ""
    assert line == (
        "emotion v7: 412 labels of 5 kinds, discriminant,"
        " V-measure 31.2 → 58.1, triplets 60.0 → 60.0 (V before this: 55.1)"
    )


def test_a_subject_that_does_not_name_the_view_is_followed_by_its_name():
    message = log_message("run", Figures(), Figures(None, {"mood": scores()}), {}, [])
    assert message.splitlines()[0] == "run: mood 412 labels, V 31 → 58"


def test_rows_that_merely_arrive_are_one_line():
    views = {"emotion": scores()}
    message = log_message("corpus/2026-11-21", Figures(1600, views), Figures(1720, views), {}, [])
    assert message == "corpus/2026-11-21: 1,600 → 1,720 texts"


def test_several_changes_are_summarised_and_views_beyond_three_are_counted():
    after = Figures(72, {name: scores() for name in "abcde"})
    versions = {name: Version(n) for n, name in enumerate("abcde", 1)}
    head, *lines = log_message("run", Figures(), after, versions, []).splitlines()
    assert head == "run: 72 texts; 5 views: a v1, b v2, c v3 and 2 more"
    assert [line.split(":")[0] for line in lines if line] == [
        "a v1",
        "b v2",
        "c v3",
        "d v4",
        "e v5",
    ]


def test_a_version_that_has_an_earlier_transform_again_says_so():
    assert tag_message("mood", Version(8, 6), scores()).startswith("mood v8 = v6: 412 labels")


def test_what_is_live_now_is_a_line():
    assert live_line("mood", scores(), "v2") == "mood: 412 labels, V 31 → 58, live as v2"
    assert live_line("mood", scores(before=None), None) == "mood: 412 labels, live"


def test_a_view_that_is_gone_is_named():
    assert log_message("run", Figures(7, {"mood": scores()}), Figures(7), {}, []) == (
        "run: without mood"
    )


def test_changed_inputs_that_changed_no_figure_are_named_by_kind():
    files = ["shop/params.yaml", "shop/data/labels/mood.csv"]
    assert log_message("run", Figures(7), Figures(7), {}, files) == "run: settings, labels"
    assert log_message("run", Figures(7), Figures(7), {}, ["dvc.lock"]).endswith("of the pipeline")


def test_views_are_told_apart_by_fingerprint_and_without_one_by_their_scores():
    old = {"a": scores("x"), "b": Scores(texts=3), "c": scores("z")}
    new = {"a": scores("x", texts=9), "b": Scores(texts=4), "c": scores("y"), "d": Scores()}
    assert changed_views(Figures(1, old), Figures(1, new)) == ["b", "c", "d"]
