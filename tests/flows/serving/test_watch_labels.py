"""What the watcher tells of a real folder, whatever happens there."""

import os
import shutil
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from flows.serving import watch_labels
from flows.serving.watch_labels import look, settled

REST = 0.3
PATIENCE = 60.0


class Heard:
    """The files that `settled` has told of, in groups."""

    def __init__(self, folder):
        self.folder, self.groups, self.failure = folder, [], None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self):
        try:
            for group in settled(self.folder, REST, self.stop):
                self.groups.append({path.relative_to(self.folder).as_posix() for path in group})
        except BaseException as error:
            self.failure = error
            raise

    @property
    def names(self):
        return [name for group in list(self.groups) for name in group]

    def until(self, met):
        last = time.monotonic() + PATIENCE
        while not met():
            assert self.thread.is_alive(), self.failure
            assert time.monotonic() < last, self.groups
            time.sleep(0.02)

    def tells(self, *names, of=lambda: None):
        """Do `of`, and wait until all of `names` have been told since."""
        before = len(self.groups)
        of()
        self.until(lambda: set(names) <= set().union(*self.groups[before:]))


@contextmanager
def listening(folder):
    heard = Heard(folder)
    heard.thread.start()
    time.sleep(0.2)
    try:
        yield heard
    finally:
        heard.stop.set()
        heard.thread.join(10)
        assert not heard.thread.is_alive()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "labels"
    made.mkdir()
    return made


@pytest.fixture
def heard(folder):
    with listening(folder) as found:
        yield found


def write(file, text="id,label\n"):
    return lambda: file.write_text(text)


def test_files_that_appear_change_and_vanish_are_told(folder, heard):
    file = folder / "mood.csv"
    heard.tells("mood.csv", of=write(file))
    heard.tells("mood.csv", of=write(file, "id,label\na,b\n"))
    heard.tells("mood.csv", of=file.unlink)


def test_a_file_that_is_written_slowly_is_told_once_when_it_is_whole(folder, heard):
    with (folder / "slow.csv").open("w") as file:
        for n in range(12):
            file.write(f"{n},x\n")
            file.flush()
            time.sleep(REST / 3)
    heard.until(lambda: "slow.csv" in heard.names)
    heard.tells("other.csv", of=write(folder / "other.csv"))
    assert heard.names.count("slow.csv") == 1


def test_a_link_that_leads_to_itself_ends_nothing(folder, heard):
    heard.tells("loop", of=lambda: (folder / "loop").symlink_to("loop"))
    heard.tells("mood.csv", of=write(folder / "mood.csv"))


def test_a_folder_that_is_replaced_by_a_file_and_back_ends_nothing(folder, heard):
    tone = folder / "tone"
    tone.mkdir()
    heard.tells("tone/a.csv", of=write(tone / "a.csv"))

    def replace():
        shutil.rmtree(tone)
        tone.write_text("no folder\n")

    heard.tells("tone/a.csv", "tone", of=replace)
    tone.unlink()
    tone.mkdir()
    heard.tells("tone/b.csv", of=write(tone / "b.csv"))


@pytest.mark.parametrize("gone", [shutil.rmtree, lambda folder: folder.rename(f"{folder}.old")])
def test_the_folder_itself_may_vanish_and_return(folder, gone):
    (folder / "kept.csv").write_text("id,label\n")
    with listening(folder) as heard:
        heard.tells("kept.csv", of=lambda: gone(folder))
        folder.mkdir()
        heard.tells("new.csv", of=write(folder / "new.csv"))
        heard.tells("new.csv", of=write(folder / "new.csv", "id,label\na,b\n"))


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path):
    folder = tmp_path / "data" / "labels"
    with listening(folder) as heard:
        folder.mkdir(parents=True)
        heard.tells("mood.csv", of=write(folder / "mood.csv"))


def test_files_of_every_kind_may_lie_there(folder, heard):
    odd = folder / os.fsdecode(b"\xff\xfe.csv")  # in no encoding
    (folder / "dangling.csv").symlink_to("nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    (folder / os.fsdecode(b"\xff")).mkdir()
    with odd.open("w") as file, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "door"))
        file.write("id,label\n")
        heard.until(
            lambda: {"dangling.csv", "pipe.csv", "door", "\udcff\udcfe.csv"} <= {*heard.names}
        )
        heard.tells("mood.csv", of=write(folder / "mood.csv"))
        (folder / "nowhere.csv").write_text("id,label\n")
        heard.tells("dangling.csv")


def test_a_link_to_a_folder_is_looked_into_but_not_below(folder, tmp_path, heard):
    far = tmp_path / "far"
    (far / "deep" / "deeper").mkdir(parents=True)
    (folder / "far").symlink_to(far)
    heard.tells("far/a.csv", of=write(far / "a.csv"))
    (far / "deep" / "deeper" / "b.csv").write_text("x")
    assert set(look(folder).folders) == {folder, folder / "far"}
    assert set(look(folder).files) == {folder / "far" / "a.csv"}


def test_what_a_link_leads_to_is_looked_at_though_nobody_tells_of_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(watch_labels, "_EVEN_SO", 0.5)
    target = tmp_path / "elsewhere.csv"
    target.write_text("id,label\n")
    (folder / "mood.csv").symlink_to(target)
    with listening(folder) as heard:
        heard.tells("mood.csv", of=write(target, "id,label\na,b\n"))


def test_where_watching_is_refused_one_looks(folder, monkeypatch):
    def refused(*_, **__):
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watch_labels, "watch", refused)
    monkeypatch.setattr(watch_labels, "_PAUSE", 0.1)
    with listening(folder) as heard:
        heard.tells("mood.csv", of=write(folder / "mood.csv"))


def test_a_folder_that_may_not_be_listed_for_a_while_has_lost_nothing(folder, monkeypatch):
    tone = folder / "tone"
    tone.mkdir()
    (tone / "a.csv").write_text("id,label\n")
    before, scandir = look(folder), os.scandir

    def forbidden(path):
        if path == tone:
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    assert look(folder, before) == before
    monkeypatch.undo()
    shutil.rmtree(tone)
    assert look(folder, before).files == {}


def test_two_thousand_files_at_once_are_each_told(folder, heard):
    names = {f"aspect{n}.csv" for n in range(2_000)}
    for name in names:
        (folder / name).write_text("id,label\n")
    heard.until(lambda: names <= set(heard.names))
