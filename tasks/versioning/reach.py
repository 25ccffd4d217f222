"""What a workspace would have done on this machine beyond reading and writing its own files."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.core.remote.manifests import TablePointer
from tasks.core.settings.merge_conflicts import refuse_conflict
from tasks.core.text.discretion import cut
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, digest
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.network import is_heard_here_alone
from tasks.core.workspace.paths import Paths
from tasks.versioning.links import links_of_inputs, links_of_outputs
from tasks.versioning.run_git_and_dvc import git, hooks_of, place_of

# Settings of a repository that start no program and name no other file; all others are told.
_HARMLESS_IN_GIT = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode"
    r"|symlinks|autocrlf|eol|safecrlf|longpaths|quotepath|abbrev|compression)"
    r"|(user|author|committer)\.(name|email|signingkey|useconfigonly)"
    r"|remote\..*\.(url|pushurl|fetch|tagopt|prune)|branch\..*\.(remote|merge|rebase|pushremote)"
    r"|(init|push|pull|fetch|merge|rebase|status|color|advice|gc|rerere)\.[a-z]+"
    r"|(commit|tag)\.gpgsign|extensions\.objectformat|lfs\.repositoryformatversion"
    r"|http\..*\.extraheader"
)
_HARMLESS_IN_DVC = {
    *("core.analytics", "core.remote", "core.check_update", "core.checksum_jobs"),
    *("core.interactive", "core.hardlink_lock", "core.autostage", "core.no_scm"),
    *("cache.type", "cache.protected", "cache.verify", "cache.shared", "cache.slow_link_warning"),
}
DVC_FILES = ("config", "config.local")
_PREFECT = re.compile(rb"^\s*(export\s+)?PREFECT_", re.MULTILINE)


@dataclass(frozen=True)
class Reach:
    """One thing that a workspace does beyond its own files: `kind` says when, `exact` tells two
    apart that read the same."""

    kind: str
    says: str
    exact: str = ""

    @property
    def key(self) -> str:
        """A fingerprint of this reach, by which an agreement notes it."""
        return digest(self.kind, self.says, self.exact)


def of_links(paths: Paths) -> Iterator[Reach]:
    """Return the links through which Refract would write."""
    for path in links_of_outputs(paths):
        target = str(path.readlink())
        yield Reach("links", f"{path.relative_to(paths.root)} is a link to {cut(target)}", target)


def of_sources(paths: Paths, params: Any) -> Iterator[Reach]:
    """Return the documents, labels and prompts that lie outside of the workspace."""
    prompts = [] if params.label.prompts is None else [params.label.prompts]
    for key, named in (("ingest.sources", params.ingest.sources), ("label.prompts", prompts)):
        for source in named:
            if _leads_out(paths.root, source):
                yield Reach("sources", f"{key} reads {cut(source)}", source)
    for path in links_of_inputs(paths):
        target = str(path.readlink())
        said = f"{path.relative_to(paths.root)} is a link, and {cut(target)} is read"
        yield Reach("sources", said, target)


def _leads_out(root: Path, source: str) -> bool:
    plain = re.split(r"[*?\[]", source, maxsplit=1)[0]
    top = root.resolve()
    place = (top / plain).resolve()
    return ".." in Path(source).parts or not (place == top or top in place.parents)


def of_model(params: Any) -> Iterator[Reach]:
    """Yield that another encoder than the bundled one is loaded."""
    named = {"embed.model": params.embed, "embed.next": params.embed.following}
    for key, settings in named.items():
        if settings is not None and settings.model != "bundled":
            model, revision = settings.model, settings.revision
            said = f"{key} loads {cut(model)!r}, a folder or a model fetched from Hugging Face"
            yield Reach("model", said, f"{model} {revision}")


def of_engine(params: Any) -> Iterator[Reach]:
    """Yield whose scheduler hands out the work: who runs it can run code here as well."""
    address = params.engine.address
    if params.engine.runner == "dask" and address is not None:
        said = f"engine.address hands work to the Dask scheduler at {cut(address)}, which may"
        yield Reach("engine", f"{said} run code as you", address)


def of_listening(params: Any) -> Iterator[Reach]:
    """Yield that other machines may ask, and that the workspace names what opens it to them."""
    host, variable = params.serve.host, params.serve.token_env
    if not is_heard_here_alone(host):
        said = f"'refract explore' listens at serve.host {cut(host)}, for whoever knows its token"
        yield Reach("listening", said, host)
    if variable is not None:
        yield Reach("listening", f"'refract explore' is opened by what {variable} holds", variable)


def of_store(paths: Paths, settings: Any) -> Iterator[Reach]:
    """Return the object stores that tables lie in, or are to: by the settings, and by pointers."""
    found = [(settings.url, settings.endpoint or "")] if settings.url is not None else []
    for folder in (paths.corpus, paths.vectors, paths.views):
        for file in sorted(folder.glob("*.lance")):
            pointer = read_manifest(file, TablePointer) if file.is_file() else None
            if pointer is not None:
                place = pointer.url.removesuffix(f"/{file.relative_to(paths.data).as_posix()}")
                found.append((place, pointer.options.endpoint or ""))
    for place, endpoint in dict.fromkeys(found):
        by = f" by {cut(endpoint)}" if endpoint else ""
        said = f"tables are read from and written to {cut(place)}{by}, with your keys"
        yield Reach("store", said, f"{place} {endpoint}")


def of_label(params: Any) -> Iterator[Reach]:
    """Return whom texts and a key would be sent to."""
    url, variable = params.label.base_url, params.label.key_env
    if url is None and variable == "OPENAI_API_KEY":
        return
    host = "the host in OPENAI_BASE_URL" if url is None else urlsplit(url).netloc
    yield Reach(
        "label",
        f"'refract label' sends texts to {cut(host)}, with what {variable} holds as the key",
        f"{url} {variable}",
    )


def of_push(root: Path, params: Any) -> Iterator[Reach]:
    """Return where a record is sent to."""
    wanted = params.record
    if wanted.push:
        remote = "DVC's default remote" if wanted.remote is None else f"remote {wanted.remote!r}"
        yield Reach("push", f"record.push sends corpus, vectors and views to {cut(remote)}")
    if wanted.git_push and place_of(root) is not None:
        for name, value in _git_settings(root):
            if re.fullmatch(r"remote\..*\.(url|pushurl)", name):
                said = f"record.git_push sends commits to {_address(value)}"
                yield Reach("push", said, f"{name} {value}")


def of_git(root: Path) -> Iterator[Reach]:
    """Return the settings by which this repository alone changes what git does, and its hooks."""
    if place_of(root) is None:
        return
    for name, value in _git_settings(root):
        if not _HARMLESS_IN_GIT.fullmatch(name):
            yield Reach("git", f"git is set up by {cut(name)} in the repository", value)
    hooks = hooks_of(root)
    for hook in sorted(hooks.iterdir()) if hooks is not None and hooks.is_dir() else ():
        if hook.suffix != ".sample" and hook.is_file() and os.access(hook, os.X_OK):
            yield Reach("git", f"git runs the hook {cut(hook.name)}", content_hash(hook))


def _git_settings(root: Path) -> list[tuple[str, str]]:
    rows = git(root, "config", "--local", "--list", "-z").split("\0")
    return [(name, value) for name, _, value in (row.partition("\n") for row in rows if row)]


def dvc_files(paths: Paths) -> dict[str, bytes]:
    """Return the settings of the DVC repository that the workspace lies in, a file each."""
    top = paths.root.resolve()
    folder = next((one / ".dvc" for one in (top, *top.parents) if (one / ".dvc").is_dir()), None)
    files = [] if folder is None else [folder / name for name in DVC_FILES]
    return {f".dvc/{file.name}": file.read_bytes() for file in files if file.is_file()}


def of_dvc(files: Mapping[str, bytes]) -> Iterator[Reach]:
    """Return the settings of DVC that lead elsewhere: remotes, caches, and what is not known."""
    for file, content in files.items():
        for section, settings in _sections(file, content):
            remote = re.fullmatch(r"remote\s*['\"](.*)['\"]", section)
            if remote:
                address = _address(str(settings.get("url", "")))
                said = f"DVC's remote {cut(remote[1])!r} is at {address}"
                yield Reach("remote", said, json.dumps(settings, sort_keys=True, default=str))
                continue
            for key, value in settings.items():
                name = f"{section}.{key}"
                if name == "cache.dir":
                    yield Reach("dvc", f"DVC keeps its cache in {cut(str(value))}", str(value))
                elif name not in _HARMLESS_IN_DVC:
                    yield Reach("dvc", f"DVC is set up by {cut(name)} in {file}", str(value))


def _sections(file: str, content: bytes) -> list[tuple[str, Mapping[str, object]]]:
    from configobj import ConfigObj, ConfigObjError

    refuse_conflict(file, content)
    try:
        lines = content.decode("utf-8").splitlines()
        found = ConfigObj(lines, interpolation=False, raise_errors=True)
    except (ConfigObjError, UnicodeDecodeError) as error:
        said = cut(" ".join(str(error).split()))
        raise InputError(f"{file}: not readable by DVC ({said}); correct it") from error
    apart = {key: value for key, value in found.items() if not isinstance(value, dict)}
    parts = [(name, dict(value)) for name, value in found.items() if isinstance(value, dict)]
    return [*parts, *([("", apart)] if apart else [])]


def _address(url: str) -> str:
    """Return a URL without the name and the key that it may hold."""
    head, mark, rest = url.partition("://")
    if not mark:
        return cut(url)
    host, slash, path = rest.partition("/")
    return cut(f"{head}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}")


def of_prefect(root: Path) -> Iterator[Reach]:
    """Return the files by which Prefect would be set up: it reads them from the current folder."""
    here = Path.cwd()
    folders = {root.resolve(), here} if root.resolve() in here.parents else {root.resolve()}
    for folder in sorted(folders):
        for name in (".env", "prefect.toml", "pyproject.toml"):
            file = folder / name
            content = file.read_bytes() if file.is_file() else b""
            if _sets_prefect(name, content):
                yield Reach("prefect", f"Prefect is set up by {cut(name)}", digest(content.hex()))


def _sets_prefect(name: str, content: bytes) -> bool:
    if name == ".env":
        return _PREFECT.search(content) is not None
    return bool(content.strip()) and (name == "prefect.toml" or _has_tool_prefect(content))


def _has_tool_prefect(content: bytes) -> bool:
    """Tell whether a pyproject.toml has `[tool.prefect]`, however spelled; unreadable: it may."""
    try:
        tools = tomllib.loads(content.decode("utf-8")).get("tool", {})
    except (ValueError, RecursionError):
        return True
    return not isinstance(tools, dict) or "prefect" in tools
