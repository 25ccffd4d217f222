"""Settings that change while one looks: views are made by them as 'refract run' would make them."""

import pytest

from flows.state.live_transform import live_card
from flows.state.status import read_status
from tasks.core.settings.instruction_section import Instruction
from tasks.core.settings.params import load_params, render_params
from tasks.core.workspace.paths import Paths
from tests.exploring import Events, learning_from

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def learning(_made, tmp_path_factory):
    with learning_from(_made, tmp_path_factory.mktemp("learning")) as served:
        yield served


@pytest.fixture
def events(learning):
    stream = Events(learning)
    yield stream
    stream.close()


def give(root, **own):
    """Say in params.yaml how these instructions are to be seen."""
    file = Paths(root).params
    found = load_params(file)
    named = found.instructions | {name: Instruction(**said) for name, said in own.items()}
    file.write_text(render_params(found.model_copy(update={"instructions": named})), "utf-8")


def test_a_method_of_its_own_is_fitted_without_a_label_more(learning, events):
    before = learning.get("/views/mood").json["transform"]
    give(learning.root, mood={"method": "fda"})
    events.wait("fit", view="mood")
    live = events.wait("live", view="mood")
    assert live["transform"] != before
    assert live_card(Paths(learning.root), "mood").method == "fda"
    assert learning.get("/views/mood").json["transform"] == live["transform"]


def test_what_a_view_is_to_be_without_and_how_it_is_kept_are_taken_up_as_well(learning, events):
    give(learning.root, mood={"without": ["topic"]}, topic={"materialise": "lazy"})
    events.wait("live", view="mood")
    assert learning.get("/views/mood").json["without"] == ["topic"]
    events.wait("live", view="topic")
    paths = Paths(learning.root)
    found = read_status(paths, load_params(paths.params)).instructions["topic"]
    assert (found.mode, found.view.stale) == ("lazy", False)


def test_a_mistake_in_the_settings_is_printed_and_what_corrects_it_is_taken_up(learning, events):
    file = Paths(learning.root).params
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("without:", "witout:"), "utf-8")
    while "explore: params.yaml: instructions.mood.witout" not in learning.said():
        assert learning.get("/views").status == 400
    file.write_text(whole, "utf-8")
    give(learning.root, mood={"method": "fda"})
    events.wait("live", view="mood")
    assert live_card(Paths(learning.root), "mood").method == "fda"
