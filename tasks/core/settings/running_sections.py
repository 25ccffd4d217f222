"""The sections on how all is run and kept: served, recorded, looked after."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from tasks.core.settings.key_names import check_key_name
from tasks.core.settings.section import Section

LONGEST_LINGER = 1_440  # minutes


class EngineSettings(Section):
    """What runs the commands."""

    linger: Annotated[
        float,
        Field(
            ge=0,
            le=LONGEST_LINGER,
            description="minutes that what a command has started stays for the next; 0: none",
        ),
    ] = 15.0
    runner: Annotated[
        Literal["local", "dask"],
        Field(description="local: this process; dask: workers, by the extra dask"),
    ] = "local"
    address: Annotated[
        str | None,
        Field(
            pattern=r"^(tcp|tls)://[^\s/@]+:[0-9]+$",
            description="Dask scheduler, tcp://HOST:8786; null: a cluster on this machine",
        ),
    ] = None
    workers: Annotated[
        int, Field(ge=1, le=1_024, description="processes of a cluster on this machine")
    ] = 1
    resubmit: Annotated[
        int,
        Field(ge=0, le=100, description="times that work is sent again whose worker has died"),
    ] = 3


class ServeSettings(Section):
    """What `refract serve` runs, and when; where `refract explore` listens."""

    name: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
            description="name of its deployments in Prefect; null: the folder's name",
        ),
    ] = None
    port: Annotated[
        int,
        Field(
            ge=0,
            le=65535,
            description="port of its own Prefect server on this machine; 0: any free one",
        ),
    ] = 4200
    explore_port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65535,
            description="port of 'refract explore', which 'refract serve' starts as well; 0: any"
            " free one; null: the same, and 'refract serve' starts none",
        ),
    ] = 4280
    host: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}$",
            description="address that 'refract explore' listens at; others than this machine's need"
            " token_env",
        ),
    ] = "127.0.0.1"
    token_env: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            repr=False,
            description="environment variable with the token that opens 'refract explore'; null:"
            " a new one each time",
        ),
    ] = None
    corpus: Annotated[
        str | None, Field(description="when new documents are taken in (cron); null: by hand only")
    ] = "0 3 * * *"
    maintain: Annotated[
        str | None, Field(description="when the tables are maintained (cron); null: by hand only")
    ] = "30 4 * * 0"
    reconcile: Annotated[
        int, Field(ge=5, le=86_400, description="seconds between two looks for what is missing")
    ] = 600
    settle: Annotated[
        float, Field(ge=0.1, le=600, description="seconds a label file rests before it is read")
    ] = 1.0
    version_rest: Annotated[
        float,
        Field(
            ge=0,
            le=86_400,
            description="seconds without a label until 'refract explore' records what it has had"
            " fitted as a version; a first view at once",
        ),
    ] = 20.0
    timezone: Annotated[str, Field(description="time zone of both crons")] = "UTC"

    @field_validator("token_env")
    @classmethod
    def _name(cls, value: str | None) -> str | None:
        if value is not None:
            check_key_name(value)
        return value

    @field_validator("corpus", "maintain")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        from cronsim import CronSim, CronSimError

        if value is not None:
            try:
                CronSim(value, datetime(2026, 1, 1))  # only its syntax is looked at
            except CronSimError as error:
                raise ValueError(f"must be a cron line such as '0 3 * * *' ({error})") from error
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value != "UTC" and value not in available_timezones():  # which looks at 600 files
            raise ValueError("must be a time zone such as 'UTC' or 'Europe/Paris'")
        return value


class MaintainSettings(Section):
    """What the upkeep of the tables does."""

    keep_days: Annotated[
        int,
        Field(
            ge=0, le=36_500, description="days after which earlier versions of a table are removed"
        ),
    ] = 14
    fragments: Annotated[
        int,
        Field(
            ge=2,
            le=100_000,
            description="files (fragments) from which a table is compacted into few",
        ),
    ] = 64


class RecordSettings(Section):
    """How a run is recorded in git and DVC."""

    commit: Annotated[
        Literal["serve", "always", "never"],
        Field(
            description="git commit by: serve (what runs by itself, under 'refract serve' and"
            " 'refract explore'), always (any run), never"
        ),
    ] = "serve"
    tag: Annotated[
        bool, Field(description="with a commit: a git tag view/NAME/vN per new version of a view")
    ] = True
    push: Annotated[bool, Field(description="send new data to the DVC remote after recording")] = (
        False
    )
    remote: Annotated[
        str | None, Field(description="DVC remote that push sends to; null: DVC's default")
    ] = None
    git_push: Annotated[
        bool, Field(description="send commits and tags to the git remote after recording")
    ] = False
    author: Annotated[
        str | None,
        Field(
            pattern=r"^[^<>\n]*[^<>\s] <[^<>\s]+>$",
            description="author of commits and tags, 'Name <mail>'; null: git's own",
        ),
    ] = None
    sign: Annotated[
        bool | None, Field(description="sign commits and tags; null: as git is configured")
    ] = None
