"""What a language model is told: a file a question, which a user may replace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest

NEEDED = {
    "summarise": {"instruction", "text"},
    "name": {"instruction", "inside", "outside"},
    "propose": {"instruction", "texts"},
    "classify": {"instruction", "labels", "text", "abstain"},
    "repair": {"system", "user", "answer", "form"},
}
_FORM = re.compile(r"\Aversion: *(\S+)\n+## system\n(.+?)\n## user\n(.+)\Z", re.DOTALL)


@dataclass(frozen=True)
class Prompt:
    """A question with places such as $text for what differs from call to call."""

    version: str
    system: str
    user: str

    def fill(self, **values: str) -> tuple[str, str]:
        """Return what the model is told as its task, and what it is asked."""
        return Template(self.system).substitute(values), Template(self.user).substitute(values)


Prompts = dict[str, Prompt]


def load_prompts(folder: Path | None = None) -> Prompts:
    """Return all prompts: those in `folder`, and Refract's own where it has none."""
    own = Path(__file__).parent
    if folder is not None and not folder.is_dir():
        raise InputError(
            f"{folder}: not found; expected a folder with prompts ({', '.join(_files())});"
            " correct label.prompts in params.yaml"
        )
    found = {}
    for name, file in zip(NEEDED, _files(), strict=True):
        theirs = None if folder is None else folder / file
        found[name] = _read(theirs if theirs and theirs.is_file() else own / file, NEEDED[name])
    return found


def version_of(prompts: Prompts) -> dict[str, str]:
    """Return the version of each prompt, with the digest of its words: they may be edited."""
    return {
        name: f"{each.version} ({digest(each.system, each.user)[:8]})"
        for name, each in prompts.items()
    }


def _files() -> list[str]:
    return [f"{name}.md" for name in NEEDED]


def _read(path: Path, needed: set[str]) -> Prompt:
    try:
        parts = _FORM.match(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not readable as UTF-8 text; expected a prompt; correct it"
        ) from error
    if parts is None:
        raise InputError(
            f"{path}: expected a line 'version: …', then '## system' and '## user' with words"
            " below each; correct it"
        )
    prompt = Prompt(parts[1], parts[2].strip(), parts[3].strip())
    _check_places(path, prompt, needed)
    return prompt


def _check_places(path: Path, prompt: Prompt, needed: set[str]) -> None:
    both = Template(f"{prompt.system}\n{prompt.user}")
    if not both.is_valid() or set(both.get_identifiers()) != needed:
        found = ", ".join(f"${name}" for name in sorted(both.get_identifiers())) or "none"
        places = ", ".join(f"${name}" for name in sorted(needed))
        raise InputError(
            f"{path}: found the places {found}; expected {places}, each at least once, and a"
            " plain dollar sign written as $$; correct it"
        )
