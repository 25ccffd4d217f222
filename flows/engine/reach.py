"""Whether workers elsewhere can do their part: see the files, speak to Prefect, run the same."""

from __future__ import annotations

import ipaddress
import platform
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.core.workspace.errors import InputError

WAIT = 30.0  # seconds for a scheduler to answer, and for a first worker to be there
_SAME = ("refract", "prefect", "pylance", "torch", "sentence-transformers")


def check_server(address: str | None) -> str:
    """Return the address of Prefect's API; InputError where workers could not speak to it."""
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        raise InputError(
            "engine.runner: dask needs one Prefect server for all workers, found none; run it by"
            " the command 'refract', or set PREFECT_API_URL"
        )
    if address is not None and _is_loopback(url) and not _is_loopback(address):
        raise InputError(
            f"engine.address: workers at {address} cannot reach the Prefect server of this machine"
            f" alone ({url}); expected one that they can; set PREFECT_API_URL to a server of your"
            " own (docs/scale.md)"
        )
    return str(url)


def check_workers(runner: Any, address: str, root: Path, url: str) -> None:
    """See that each worker can do its part; InputError names the first that cannot, and why."""
    try:
        client = runner.client
        client.wait_for_workers(1, timeout=WAIT)
    except TypeError as error:  # as Dask says it of an address by TLS without certificates
        raise InputError(
            f"engine.address: {address} is reached by certificates, found none that Dask is told"
            f" of ({error}); set DASK_DISTRIBUTED__COMM__TLS__… (docs/scale.md), or use tcp://"
        ) from error
    except (OSError, TimeoutError) as error:
        raise InputError(
            f"engine.address: no scheduler with a worker answers at {address} ({error}); start"
            " 'dask scheduler' and 'dask worker' (docs/scale.md), or set it to null"
        ) from error
    mine, threads = _versions(), client.nthreads()
    asked = client.run(_able, str(root.resolve()), url, on_error="return")
    for worker, answer in asked.items():
        trouble = _trouble(answer, mine)
        if trouble is None and threads.get(worker, 1) != 1:
            trouble = f"has {threads[worker]} threads, expected --nthreads 1"
        if trouble is not None:
            raise InputError(f"engine: the worker at {worker} {trouble}; see docs/scale.md")


def _trouble(answer: Any, mine: dict[str, str]) -> str | None:
    """Return what is wrong with a worker by its `answer`, as words that follow its name."""
    if isinstance(answer, Exception):  # it has no Refract, or another one
        said = " ".join(str(answer).split())
        return f"cannot be asked ({said}), expected it in the same environment as here"
    theirs, unable = answer
    for name, wanted in mine.items():
        if theirs.get(name) != wanted:
            return f"has {name} {theirs.get(name)}, expected {wanted} as here"
    return None if unable is None else str(unable)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _SAME} | {"Python": platform.python_version()}


def _able(root: str, url: str) -> tuple[dict[str, str], str | None]:
    """Return what a worker runs, and what it cannot do, as words that follow its name."""
    trouble = None
    if not Path(root, "params.yaml").is_file():
        trouble = f"sees no workspace at {root}, expected a file system that all share"
    elif not _answers(url):
        trouble = f"gets no answer from Prefect at {url}, expected one"
    return _versions(), trouble


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=WAIT):  # noqa: S310 # as configured
            return True
    except urllib.error.HTTPError:
        return True  # refused, and so there
    except OSError:
        return False


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
