"""`refract explore`: a socket first, so that the link can be told; then all that answers there."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.explore.keys import Address, Keys, made_by
from flows.runtime.child_process import end_with_parent
from flows.runtime.importing import without_collecting
from flows.runtime.lock import starting
from flows.runtime.server.server_note import Note, forget, known, new_secret, write_note
from flows.state.trust import ask
from tasks.core.settings.params import load_params
from tasks.core.settings.running_sections import ServeSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.network import is_heard_here_alone
from tasks.core.workspace.paths import Paths
from tasks.signs import sign

if TYPE_CHECKING:
    from flows.explore.service import Service

_SHORTEST = 16  # characters of a token; 128 bits in hexadecimal digits are 32
_CLOSING = 2  # seconds that open answers get when it ends: those of /events never do by themselves


def explore(root: Path, port: int | None = None, *, browser: bool = True) -> None:
    """Answer for the workspace at `root` until a signal ends it; where one does, tell its link.

    port: 0 takes any free one, None that of the settings. browser: open one, if a terminal and a
    screen are there. InputError where the port is taken, or a token is needed and not there.
    """
    paths, settings = Paths(root), load_params(Paths(root).params).serve
    ask(paths, "links", "store", "listening")
    with starting(paths) as start:
        running = known(paths, paths.explore_note)
        if running is not None:
            link = f"{running.url}/?token={running.secret}"
            _tell(link, "runs already at")
            return
        keys = Keys(new_secret(), _token(settings))
        number = settings.explore_port or 0 if port is None else port
        with _listener(settings.host, number) as listener:
            address = Address(settings.host, listener.getsockname()[1])
            _tell(f"{address.url}/?token={keys.secret}", "is at")
            sign("loading")
            seen = browser and _has_screen()
            _answer(paths, listener, address, keys, start.release, browser=seen)


def _answer(
    paths: Paths,
    listener: socket.socket,
    address: Address,
    keys: Keys,
    noted: Callable[[], None],
    *,
    browser: bool,
) -> None:
    """Answer on a socket until SIGINT or SIGTERM, and end then without a word.

    noted: called once others find it by its note.
    """
    end_with_parent(signal.SIGTERM)
    with without_collecting():
        import uvicorn

        from flows.explore.app import explore_app
        from flows.explore.guard import Guard
        from flows.explore.service import Service
    service = Service(paths.root)
    note = Note(address.url, keys.secret, made_by())

    def started() -> None:
        paths.state.mkdir(parents=True, exist_ok=True)
        write_note(paths, paths.explore_note, note)
        noted()
        if browser:
            keys.once = new_secret()
            link = f"{address.url}/?token={keys.once}"
            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()

    config = uvicorn.Config(
        Guard(explore_app(service), address, keys),
        lifespan="on",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,  # it would repeat what is asked for, and links with the token
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_CLOSING,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # raised again by uvicorn when it has ended
        signal.signal(number, lambda *_: None)
    try:
        _server(config, service, started).run(sockets=[listener])
    finally:
        forget(paths, paths.explore_note, note)


def _server(config: Any, service: Service, started: Callable[[], None]) -> Any:
    """Return uvicorn's server, which tells when it answers, and answers that never end to end."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        def handle_exit(self, sig: int, frame: Any) -> None:
            service.ending.set()
            super().handle_exit(sig, frame)

    return Server(config)


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens; from here on, no other program can take its place."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1_024)
    except OSError as error:
        raise InputError(
            f"explore: found {host}:{port} not to be had ({error.strerror}); expected a free port"
            " of an address of this machine; choose another with --port or serve.explore_port, 0"
            " for any"
        ) from error


def _token(settings: ServeSettings) -> str | None:
    """Return the user's token; InputError where it is needed, or too short to keep others out."""
    name = settings.token_env
    if name is None and is_heard_here_alone(settings.host):
        return None
    if name is None:
        raise InputError(
            f"params.yaml: serve.host: found {settings.host}, which other machines reach; expected"
            " serve.token_env beside it, the name of an environment variable with a token, or"
            " 127.0.0.1"
        )
    token = os.environ.get(name, "").strip()
    if len(token) < _SHORTEST or not token.isascii():
        raise InputError(
            f"environment variable {name}: found {len(token)} characters; expected a token of"
            f" {_SHORTEST} or more of ASCII, as serve.token_env names it; such as: export"
            f" {name}=$(openssl rand -hex 32)"
        )
    return token


def _has_screen() -> bool:
    """Tell whether somebody has typed the command where a browser can show something."""
    screen = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return sys.stdout.isatty() and bool(screen)


def _tell(link: str, how: str) -> None:
    print(f"refract explore {how} {link}", flush=True)
