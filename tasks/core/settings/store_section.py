"""The section `store` of params.yaml: where the tables lie, if not in the workspace."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator

from tasks.core.settings.section import Section
from tasks.core.workspace.network import ENDPOINT, STORE_URL


class StoreSettings(Section):
    """Where the tables lie; keys come from the environment alone (AWS_ACCESS_KEY_ID and others)."""

    url: Annotated[
        str | None,
        Field(
            repr=False, description="s3://BUCKET/FOLDER that holds the tables; null: below data/"
        ),
    ] = None
    region: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9-]{1,64}$",
            description="region of the bucket; null: AWS_REGION, or as the endpoint has it",
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        Field(repr=False, description="http(s)://HOST:PORT of a store other than AWS; null: AWS"),
    ] = None
    virtual_hosted: Annotated[
        bool, Field(description="the bucket is part of the host's name, as some stores ask")
    ] = False
    bulk_delete: Annotated[
        bool, Field(description="remove many files by one request; false for stores that cannot")
    ] = True
    patience: Annotated[
        float, Field(gt=0, le=3_600, description="seconds that a store which is away is waited for")
    ] = 60.0

    @field_validator("url")
    @classmethod
    def _bucket_and_folder(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(STORE_URL, value.rstrip("/")):
            raise ValueError(
                "must be s3://BUCKET/FOLDER, with nothing before the bucket or behind the folder;"
                " keys belong into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
            )
        return None if value is None else value.rstrip("/")

    @field_validator("endpoint")
    @classmethod
    def _scheme_and_host(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(ENDPOINT, value):
            raise ValueError(
                "must be http://HOST:PORT or https://HOST, without a name and a key in it; keys"
                " belong into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
            )
        return value
