import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "30 1 * * *"])
@pytest.mark.parametrize("before", [datetime(2026, 3, 27), datetime(2026, 10, 23)])
def test_a_nightly_cron_runs_once_each_day_across_a_change_of_the_clock(cron, before):
    schedule = CronSchedule(cron=cron, timezone="Europe/Paris")
    dates = asyncio.run(schedule.get_dates(4, start=before.replace(tzinfo=PARIS)))
    days = [date.astimezone(PARIS).date() for date in dates]
    assert days == [before.date() + timedelta(days=n) for n in range(4)]
