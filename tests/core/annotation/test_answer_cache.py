"""Which answer is found again: the last that says something, of the same host and temperature."""

import sqlite3
from dataclasses import replace

from tasks.core.annotation.answer_cache import open_answer_cache
from tasks.core.annotation.cost_estimate import forecast
from tasks.core.llm.answers import Answer
from tests.core.annotation.model import GIVEN, oracle
from tests.endpoint import Endpoint
from tests.labelling import N, run


def test_answers_of_the_cache_are_the_last_that_say_something(tmp_path):
    with open_answer_cache(tmp_path / "calls.sqlite", "mood") as cache:
        for text in ("first", "second", ""):
            cache.answered(cache.begin("classify", "k"), Answer(text, 1, 1), 0.0)
        assert cache.answers(["k"]) == {"k": Answer("second", 1, 1)}
        cache.doubt(["k"])
        assert cache.answers(["k"]) == {} and cache.spent().calls == 3


def test_an_answer_of_another_host_or_temperature_is_not_taken_for_one_of_this(job):
    with Endpoint(oracle()) as endpoint:
        made = job(endpoint, taxonomy=GIVEN)
        run(made)
        asked = len(endpoint.requests)
        warmer = replace(made, settings=made.settings.model_copy(update={"temperature": 0.7}))
        away = replace(made.asked, base_url="http://model.invalid/v1")
        assert sum(each.calls for each in forecast(made)) == 0
        for other in (warmer, replace(made, endpoint=away)):
            assert sum(each.calls for each in forecast(other)) == N
        run(warmer)
        assert len(endpoint.requests) == asked + N


def test_answers_from_before_it_was_noted_who_gave_them_are_found(tmp_path):
    file = tmp_path / "calls.sqlite"
    with open_answer_cache(file, "mood", "here") as cache:
        cache.answered(cache.begin("classify", "k"), Answer("yes", 1, 1), 0.0)
    with sqlite3.connect(file) as earlier:
        earlier.execute("alter table calls drop column given")
    for given in ("here", "there"):
        with open_answer_cache(file, "mood", given) as cache:
            assert cache.answers(["k"]) == {"k": Answer("yes", 1, 1)}
