"""The section of params.yaml that says how a language model labels texts."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tasks.core.settings.key_names import check_key_name
from tasks.core.settings.section import Section
from tasks.core.text.discretion import may_be_secret

DECIDES = "decides on the labels"
"""Marks a setting whose other value makes other labels: a fingerprint of labels holds it.

The settings without it say who is asked, how, and at what price.
"""


class LabelSettings(Section):
    """How `refract label` makes a label file from an instruction."""

    base_url: Annotated[
        str | None,
        Field(
            repr=False,
            description="OpenAI-compatible endpoint, ending in /v1; null: OPENAI_BASE_URL",
        ),
    ] = None
    model: Annotated[
        str | None, Field(min_length=1, description="model at that endpoint; null: OPENAI_MODEL")
    ] = None
    key_env: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            repr=False,
            description="environment variable that holds the key; the key itself goes in no file",
        ),
    ] = "OPENAI_API_KEY"
    prompts: Annotated[
        str | None, Field(description="folder with prompts of your own; null: those of Refract")
    ] = None
    sample: Annotated[
        int,
        Field(ge=10, le=1_000_000, description="texts of the corpus that are labelled"),
        DECIDES,
    ] = 3_000
    sampling: Annotated[
        Literal["random", "coreset", "stratified"],
        Field(description="how those texts are chosen: random, coreset or stratified"),
        DECIDES,
    ] = "random"
    clusters: Annotated[
        int,
        Field(ge=2, le=1_000, description="clusters of summaries; each is given a name"),
        DECIDES,
    ] = 50
    shown: Annotated[
        int,
        Field(ge=1, le=200, description="summaries of a cluster, and of others, in a prompt"),
        DECIDES,
    ] = 25
    summary: Annotated[
        bool,
        Field(description="cluster the model's summaries; false: the texts themselves"),
        DECIDES,
    ] = True
    direct: Annotated[
        bool,
        Field(description="ask for the labels at once, without summaries and clusters"),
        DECIDES,
    ] = False
    merge: Annotated[
        float,
        Field(gt=0, le=1, description="cosine from which the names of two labels are one label"),
        DECIDES,
    ] = 0.9
    max_chars: Annotated[
        int,
        Field(ge=100, le=1_000_000, description="characters of a text that the model is shown"),
        DECIDES,
    ] = 4_000
    max_tokens: Annotated[
        int,
        Field(ge=16, le=100_000, description="most tokens that an answer may have"),
        DECIDES,
    ] = 256
    temperature: Annotated[
        float | None, Field(ge=0, le=2, description="temperature of the model; null: its default")
    ] = 0.0
    structured: Annotated[
        bool, Field(description="ask for answers by JSON schema, as long as the endpoint takes it")
    ] = True
    in_flight: Annotated[int, Field(ge=1, le=1_000, description="requests at the same time")] = 8
    per_minute: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="requests a minute; null: no limit")
    ] = None
    timeout: Annotated[float, Field(gt=0, le=3_600, description="seconds a request may take")] = 60
    tries: Annotated[
        int, Field(ge=1, le=20, description="most requests for one answer, where some fail")
    ] = 5
    usd_in: Annotated[
        float, Field(ge=0, description="price of a million tokens sent, in dollars")
    ] = 0.0
    usd_out: Annotated[
        float, Field(ge=0, description="price of a million tokens answered, in dollars")
    ] = 0.0
    max_calls: Annotated[
        int | None,
        Field(ge=1, description="requests an instruction may take, all its runs together"),
    ] = None
    max_usd: Annotated[
        float | None,
        Field(gt=0, description="dollars an instruction may cost, all its runs together"),
    ] = None
    zero_shot: Annotated[
        float, Field(gt=0, le=1, description="share of texts that --zero-shot keeps, surest first")
    ] = 0.3
    seed: Annotated[
        int,
        Field(ge=0, lt=2**31, description="number from which all random choices follow"),
        DECIDES,
    ] = 1

    def deciding(self) -> dict[str, object]:
        """Return the settings whose other value makes other labels, the model's left out."""
        fields = type(self).model_fields.items()
        return self.model_dump(include={n for n, field in fields if DECIDES in field.metadata})

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            check_url(value)
        return value

    @field_validator("key_env")
    @classmethod
    def _name(cls, value: str) -> str:
        if may_be_secret(value):
            raise ValueError(
                "must be the name of an environment variable such as OPENAI_API_KEY; found what"
                " may be the key itself, which goes in no file"
            )
        check_key_name(value)
        return value

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.max_usd is not None and not (self.usd_in or self.usd_out):
            raise ValueError("max_usd needs prices; set usd_in and usd_out as well")
        return self


def check_url(url: str) -> str:
    """Return the host and port of an endpoint; ValueError for a URL that is none or holds a key."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL such as http://127.0.0.1:8000/v1") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query:
        raise ValueError("must hold no key; put it into the environment variable of key_env")
    return parts.hostname if port is None else f"{parts.hostname}:{port}"
