"""When the next request may go out, and how long one that failed waits."""

import asyncio

import pytest

from tasks.core.annotation.requests import Pace
from tasks.core.llm.client import _wait


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def test_requests_go_out_evenly_and_all_wait_when_one_is_told_to():
    clock = Clock()
    pace = Pace(per_minute=30, sleep=clock.sleep, clock=clock)

    async def go():
        sent = []
        for turn in range(4):
            await pace.turn()
            sent.append(clock.now)
            if turn == 2:
                await pace.back_off("0" * 32, 0, 45.0)
        return sent

    assert asyncio.run(go()) == [100, 102, 104, 149]


def test_those_that_wait_for_their_turn_hear_an_order_too():
    clock = Clock()
    pace = Pace(per_minute=30, sleep=clock.sleep, clock=clock)
    sent = []

    async def request(number):
        await pace.turn()
        sent.append(clock.now)
        if number == 1:
            await pace.back_off("0" * 32, 0, 45.0)

    async def go():
        await asyncio.gather(*(request(number) for number in range(4)))

    asyncio.run(go())
    assert sent == [100, 102, 147, 149]


def test_an_order_not_to_wait_is_followed_once():
    clock = Clock()
    pace = Pace(None, sleep=clock.sleep, clock=clock)

    async def go():
        for attempt in (0, 1, 2):
            await pace.back_off("f" * 32, attempt, 0)

    asyncio.run(go())
    assert clock.slept == pytest.approx([1, 2])


def test_waits_double_and_differ_between_questions():
    clock = Clock()
    pace = Pace(None, sleep=clock.sleep, clock=clock)

    async def go():
        for attempt in (0, 1, 9):
            await pace.back_off("0" * 32, attempt, None)
            await pace.back_off("f" * 32, attempt, None)

    asyncio.run(go())
    assert clock.slept[::2] == [0.25, 0.5, 30]
    assert clock.slept[1::2] == pytest.approx([0.5, 1, 60])


def test_a_wait_may_be_given_as_seconds_or_a_date():
    assert _wait({"retry-after": "3.5"}) == 3.5
    assert _wait({"retry-after": "Mon, 01 Jan 2024 00:00:00 GMT"}) == 0
    assert _wait({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) > 1e9
    assert _wait({}) is None
    odd = ("", "soon", "nan", "inf", "-5", "1e3", "Mon, 01 Jan 2024 00:00:00 +9999999999999999")
    assert [_wait({"retry-after": asked}) for asked in odd] == [None] * len(odd)
