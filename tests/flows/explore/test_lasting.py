"""What goes on beside the answers goes on, whatever fails in it."""

import threading

from flows.explore.learning import noticing, refitting
from flows.explore.learning.hub import Hub
from flows.explore.learning.lasting import done
from flows.explore.learning.noticing import Notices
from flows.explore.learning.refitting import Refitter
from flows.queries.labelled import Labelled
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.manifests import EmbedStamp
from tasks.core.workspace.paths import Paths
from tasks.versioning.run_git_and_dvc import RepositoryError


def failing(error):
    def fail(*_):
        raise error

    return fail


def test_what_went_wrong_is_printed_and_told_apart_from_what_went_well(capsys):
    assert done(lambda: None)
    assert not done(failing(InputError("a mistake of the user's")))
    assert capsys.readouterr().err == "explore: a mistake of the user's\n"
    assert not done(failing(KeyError("a fault of ours")))
    assert "Traceback" in capsys.readouterr().err


def test_a_view_is_told_live_though_git_fails_and_all_that_changed_with_it(made):
    paths, hub = Paths(made), Hub()
    stamp = {name: paths.view_stamp(name).read_bytes() for name in ("mood", "topic")}
    for name in stamp:
        paths.view_stamp(name).unlink()
    notices = Notices(paths, hub, set(), failing(RepositoryError("git: no")), failing(OSError()))
    for name, content in stamp.items():
        paths.view_stamp(name).write_bytes(content)
    start = hub.last
    notices.look()
    told = [(event.event, event.data["view"]) for event in hub._since(start)]
    assert told == [("live", "mood"), ("live", "topic")]


def test_a_version_is_told_though_git_failed_the_first_time(made, monkeypatch):
    monkeypatch.setattr(noticing, "_GIT_RESTS", 0.0)
    paths, hub, answers = Paths(made), Hub(), [RepositoryError("git: no")]
    tag = {("mood", Notices(paths, hub, set(), dict, dict)._live["mood"].transform): "v7"}

    def tags():
        if answers:
            raise answers.pop()
        return tag

    notices = Notices(paths, hub, set(), tags, failing(OSError()))
    write_bytes(paths.recorded, b"{}")
    start = hub.last
    notices.look()
    assert hub._since(start) == []
    notices.look()
    assert [(event.event, event.data["version"]) for event in hub._since(start)] == [
        ("version", "v7")
    ]


def test_a_corpus_of_as_many_other_texts_is_told(made):
    paths, hub = Paths(made), Hub()
    notices, start = Notices(paths, hub, set(), dict, failing(OSError())), hub.last
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    write_manifest(paths.stamp("embed"), stamp.changed(digest="another"))
    notices.look()
    assert [event.event for event in hub._since(start)] == ["corpus"]


def test_what_an_earlier_start_left_is_looked_for_until_it_can_be(made, monkeypatch):
    monkeypatch.setattr(refitting, "_AGAIN", 0.0)
    ending, tries = threading.Event(), []

    def take_up(self, *, everything):
        tries.append(len(tries))
        if len(tries) == 1:
            raise InputError("params.yaml: a mistake")
        ending.set()

    monkeypatch.setattr(Refitter, "_take_up", take_up)
    Refitter(Paths(made), failing(OSError()), lambda *_: None).run(ending)
    assert tries == [0, 1]


def test_a_fault_in_one_fit_leaves_those_that_follow(made):
    ending, asked = threading.Event(), []

    def labelled(name):
        asked.append(name)
        if name == "mood":
            raise KeyError(name)
        ending.set()
        return Labelled({}, {}, 10)

    refitter = Refitter(Paths(made), labelled, lambda *_: None)
    refitter._prepared = True  # nothing is fitted here that needs a server
    refitter.note(["mood", "topic"])
    refitter.run(ending)
    assert asked == ["mood", "topic"]
