"""params.yaml: the one place with settings, validated into frozen models."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator

from tasks.core.settings.fit_section import FitSettings
from tasks.core.settings.instruction_section import Instruction, Instructions
from tasks.core.settings.label_section import LabelSettings
from tasks.core.settings.running_sections import (
    EngineSettings,
    MaintainSettings,
    RecordSettings,
    ServeSettings,
)
from tasks.core.settings.section import Section
from tasks.core.settings.store_section import StoreSettings
from tasks.core.settings.table_sections import (
    AUTO,
    FROM_ROWS,
    EmbedSettings,
    IngestSettings,
    MaterialiseSettings,
)
from tasks.core.settings.yaml_file import SETTINGS, named, parse_yaml, read_bounded
from tasks.core.text.discretion import shown
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifests import FULL, LAZY


class Params(Section):
    """All of params.yaml."""

    instructions: Instructions = Field(
        default_factory=dict,
        description="name: wording; without one here it is that of its label card, or its name",
    )
    ingest: IngestSettings = IngestSettings()
    embed: EmbedSettings = EmbedSettings()
    label: LabelSettings = LabelSettings()
    fit: FitSettings = FitSettings()
    materialise: MaterialiseSettings = MaterialiseSettings()
    store: StoreSettings = StoreSettings()
    engine: EngineSettings = EngineSettings()
    serve: ServeSettings = ServeSettings()
    maintain: MaintainSettings = MaintainSettings()
    record: RecordSettings = RecordSettings()

    @field_validator("instructions")
    @classmethod
    def _names(cls, value: dict[str, Instruction]) -> dict[str, Instruction]:
        for name, one in value.items():
            check_name(name)
            if name in one.without:
                raise ValueError(f"{name!r} is to be without itself; name other aspects")
        return value

    def wording(self, name: str) -> str | None:
        """Return the wording of an instruction, or None where there is none here."""
        return self.instructions[name].wording if name in self.instructions else None

    def mode(self, name: str, size: Callable[[], int]) -> str:
        """Return whether an instruction's view is to be full or lazy; size: rows × views."""
        own = self.instructions[name].materialise if name in self.instructions else None
        asked = own or self.materialise.mode
        if asked != AUTO:
            return asked
        return LAZY if size() >= FROM_ROWS else FULL

    def of(self, name: str) -> Params:
        """Return the settings by which an instruction is fitted: `fit.method` is its own."""
        own = self.instructions[name].method if name in self.instructions else None
        if own is None:
            return self
        return self.model_copy(update={"fit": self.fit.model_copy(update={"method": own})})

    def without(self, name: str) -> tuple[str, ...]:
        """Return the aspects that the view of an instruction is to be without."""
        return self.instructions[name].without if name in self.instructions else ()

    def columns(self) -> dict[str, str]:
        """Return the column of the documents that holds the labels, by instruction."""
        return {name: one.column for name, one in self.instructions.items() if one.column}


def load_params(path: Path) -> Params:
    """Read and validate `path`; the first mistake is named with its key, bound and value."""
    if not path.is_file():
        raise InputError(
            f"{path}: not found; expected a workspace; run 'refract init DIR' to make one,"
            " or give --root"
        )
    return _validated(path.name, read_bounded(path))


@lru_cache(maxsize=4)  # one post of labels asks three times, for 4 ms each
def _validated(name: str, content: bytes) -> Params:
    raw = parse_yaml(name, content, SETTINGS)
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise InputError(f"{name}: expected sections such as 'fit:', found {type(raw).__name__}")
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise InputError(_first_mistake(name, error)) from error


def _first_mistake(file: str, error: ValidationError) -> str:
    details = error.errors()
    first = details[0]
    key = named(first["loc"])
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(_keys(first["loc"][:-1]))
        return f"{file}: {key}: unknown key; expected one of: {known}{more}"
    message = first["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "must be", 1)
    told = not _may_be_shown(first["loc"]) or isinstance(first["input"], dict)
    got = "" if told else f" (got {shown(first['input'])})"
    return f"{file}: {key}: {message}{got}{more}"


def _keys(section: tuple[int | str, ...]) -> list[str]:
    return list(_section(section).model_fields)


def _section(place: tuple[int | str, ...]) -> Any:
    model: Any = Params
    for part in place:
        fields = getattr(model, "model_fields", {})  # instructions have names of their own
        model = fields[part].annotation if part in fields else Instruction
    return model


def _may_be_shown(place: tuple[int | str, ...]) -> bool:
    """Tell whether a value may be repeated: a key that was put in the wrong place may not."""
    section: Any = Params
    for part in place:
        field = getattr(section, "model_fields", {}).get(str(part))
        if field is None:
            return True
        if not field.repr:
            return False
        section = field.annotation
    return not hasattr(section, "model_fields")


def render_params(params: Params) -> str:
    """Write `params` as YAML with each key's description beside it."""
    lines = ["# Settings of this workspace; what is unknown or out of bounds is refused by name."]
    for name, field in Params.model_fields.items():
        value = getattr(params, name)
        if isinstance(value, Section):
            lines += ["", f"{name}:  # {(value.__doc__ or '').strip()}", *_render(value, "  ")]
        else:
            lines += ["", f"# {field.description}", *_dump_block(name, value)]
    return "\n".join(lines) + "\n"


def _render(section: Section, indent: str) -> list[str]:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            lines += [f"{indent}{name}:  # {(value.__doc__ or '').strip()}"]
            lines += _render(value, indent + "  ")
        else:
            lines += [f"{indent}{name}: {_dump(value)}  # {field.description}"]
    return lines


def _dump_block(name: str, value: dict[str, Instruction]) -> list[str]:
    if not value:
        return [f"{name}: {{}}"]
    return [f"{name}:", *(f"  {_dump(key)}: {_dump(one.plain())}" for key, one in value.items())]


def _dump(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")
