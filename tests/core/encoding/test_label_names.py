"""The names of labels: read once, and by the encoder alone that made the base vectors."""

from pathlib import Path

import numpy as np
import pytest

from tasks.core.encoding import label_names
from tasks.core.encoding.encoder import Encoded
from tasks.core.encoding.label_names import WAYS, NameReader, say_names


class Counting:
    """An encoder that notes what it is given: a text's vector counts its letters."""

    precision, dimensions, has_layers = "float32", 26, False

    def __init__(self):
        self.read = []

    def encode(self, texts, advance, read=None):
        self.read += texts
        counts = [[text.lower().count(chr(97 + at)) for at in range(26)] for text in texts]
        return Encoded(np.array(counts, np.float32), np.zeros(len(texts), bool))


def reader(folder: Path, space="one"):
    encoder = Counting()
    return NameReader(space, folder / "names" / "mood.safetensors", lambda: encoder), encoder


def test_a_name_is_said_in_all_ways_with_its_marks_as_spaces():
    encoder = Counting()
    found = say_names(["lost_card-or/stolen", "{}"], encoder)
    assert found.shape == (2, len(WAYS), 26)
    assert encoder.read[: len(WAYS)] == [way.format("lost card or stolen") for way in WAYS]


def test_only_names_that_are_new_are_given_to_the_encoder(tmp_path):
    first, encoder = reader(tmp_path)
    one = first.read(["glad", "sad"], 26)
    assert len(encoder.read) == 2 * len(WAYS)
    again, idle = reader(tmp_path)
    np.testing.assert_array_equal(again.read(["sad", "glad"], 26), one[::-1])
    assert idle.read == []
    again.read(["glad", "angry"], 26)
    assert idle.read == [way.format("angry") for way in WAYS]


def test_what_another_encoder_has_read_does_not_count(tmp_path):
    reader(tmp_path)[0].read(["glad"], 26)
    other, encoder = reader(tmp_path, space="two")
    other.read(["glad"], 26)
    assert len(encoder.read) == len(WAYS)


@pytest.mark.parametrize("content", [b"", b"not a tensor", b"\xff" * 64])
def test_a_broken_note_is_read_anew(tmp_path, content):
    made, encoder = reader(tmp_path)
    made.memory.parent.mkdir()
    made.memory.write_bytes(content)
    made.read(["glad"], 26)
    assert len(encoder.read) == len(WAYS)
    made.read(["glad"], 26)
    assert len(encoder.read) == len(WAYS)


def test_a_note_of_another_size_or_that_holds_no_numbers_is_read_anew(tmp_path):
    made, encoder = reader(tmp_path)
    made.read(["glad"], 26)
    made._keep({key: each[:, :3] for key, each in made._known((len(WAYS), 26)).items()})
    made.read(["glad"], 26)
    made._keep({key: each * np.nan for key, each in made._known((len(WAYS), 26)).items()})
    made.read(["glad"], 26)
    assert len(encoder.read) == 3 * len(WAYS)


def test_of_very_many_labels_no_name_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(label_names, "MOST", 2)
    made, encoder = reader(tmp_path)
    assert made.read(["a", "b", "c"], 26) is None and encoder.read == []
