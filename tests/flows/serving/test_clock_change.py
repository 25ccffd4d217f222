"""What the crons of `refract serve` do on the two days a year when the clock is changed.

Prefect's own scheduler answers: it asks for the next dates again and again, from whenever it is.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

PARIS = ZoneInfo("Europe/Paris")
FORWARD, BACK = datetime(2027, 3, 28, tzinfo=PARIS), datetime(2027, 10, 31, tzinfo=PARIS)


def fired(cron, day, zone="Europe/Paris"):
    """Return when `cron` runs on `day`, as told from every quarter of an hour of it."""
    asked = CronSchedule(cron=cron, timezone=zone)
    begin = day.astimezone(UTC)
    found = set()
    for quarter in range(4 * 25):
        start = (begin + timedelta(minutes=15 * quarter)).astimezone(ZoneInfo(zone))
        found |= set(asyncio.run(asked.get_dates(3, start=start)))
    own = ZoneInfo(zone)
    dates = sorted(date.astimezone(UTC) for date in found)
    return [
        d.astimezone(own).strftime("%H:%M%z")
        for d in dates
        if d.astimezone(own).date() == day.date()
    ]


@pytest.mark.parametrize(
    ("cron", "day", "times"),
    [
        ("0 3 * * *", FORWARD, ["03:00+0200"]),
        ("0 3 * * *", BACK, ["03:00+0100"]),
        ("30 4 * * 0", FORWARD, ["04:30+0200"]),
        ("30 4 * * 0", BACK, ["04:30+0100"]),
        ("30 2 * * *", FORWARD, ["01:30+0100"]),
        ("30 2 * * *", BACK, ["02:30+0200"]),
    ],
)
def test_what_runs_daily_runs_once_on_both_days(cron, day, times):
    assert fired(cron, day) == times


def test_in_utc_nothing_changes():
    for day in (FORWARD, BACK):
        assert fired("30 2 * * *", day.replace(tzinfo=UTC), "UTC") == ["02:30+0000"]
