"""What has happened reaches everyone who follows, in order, and those who come back."""

import asyncio
import json
import threading

import pytest

from flows.explore.learning import hub as told
from flows.explore.learning.hub import Hub


def ids(hub, last):
    async def read():
        with hub.followed(last) as follower:
            found = []
            while (event := await follower.next(0.05)) is not None:
                found.append(event)
            return found

    return asyncio.run(read())


def test_everyone_who_follows_is_told_in_order_whichever_thread_tells():
    hub = Hub()

    async def follow():
        with hub.followed() as one, hub.followed() as two:
            threads = [threading.Thread(target=hub.tell, args=("fit",)) for _ in range(20)]
            for each in threads:
                each.start()
            seen = [[(await each.next(5)).id for _ in range(20)] for each in (one, two)]
            for each in threads:
                each.join()
            return seen

    one, two = asyncio.run(follow())
    assert one == two == sorted(one, key=lambda name: int(name.split("-")[1]))


def test_one_who_comes_back_is_told_what_happened_meanwhile():
    hub = Hub()
    known = [hub.last]
    assert ids(hub, "") == ids(hub, known[0]) == []
    for event in ("fit", "live", "corpus"):
        hub.tell(event)
        known.append(hub.last)
    assert [event.event for event in ids(hub, known[0])] == ["fit", "live", "corpus"]
    assert [event.event for event in ids(hub, known[1])] == ["live", "corpus"]
    assert ids(hub, known[3]) == []


@pytest.mark.parametrize("last", ["0badc0de-7", "nonsense", "\n"])
def test_one_who_was_away_too_long_or_followed_an_earlier_start_is_told_to_look_anew(last):
    hub = Hub()
    began = hub.last
    for n in range(told.KEPT + 5):
        hub.tell("corpus", texts=n)
    assert [event.event for event in ids(hub, last)] == ["missed"]
    assert [event.event for event in ids(hub, began)] == ["missed"]


def test_one_who_is_slow_is_sent_away_and_holds_up_nobody(monkeypatch):
    monkeypatch.setattr(told, "WAITING", 3)
    hub = Hub()

    async def follow():
        with hub.followed() as slow:
            for n in range(50):
                hub.tell("corpus", texts=n)
            seen = [(await slow.next(1)).data["texts"] for _ in range(3)]
            with pytest.raises(EOFError):
                await slow.next(1)
            return seen

    assert asyncio.run(follow()) == [0, 1, 2]


def test_no_text_can_end_an_event_early():
    hub = Hub()
    hub.tell("failed", view="mood", why="a\n\nevent: live\r\ndata: {}\u2028")
    (event,) = hub._kept
    lines = event.encoded().decode().split("\n")
    assert lines[3:] == ["", ""]
    assert [line.split(":")[0] for line in lines[:3]] == ["id", "event", "data"]
    assert json.loads(lines[2].removeprefix("data: "))["why"].startswith("a\n\nevent")
