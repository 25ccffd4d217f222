"""The service as a FastAPI application: one module of routes a subject, and the page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from flows.explore import places, points, rows, search, static, views
from flows.explore.service import Service
from tasks.core.workspace.errors import InputError, MissingError, UnmadeError

ROUTES = (views, search, rows, places, points, static)  # each has a `router`
_AT_ONCE = 4  # questions a core; what waits for them holds up neither events nor pages
_STATUS: dict[type[InputError], int] = {MissingError: 404, UnmadeError: 503}


def explore_app(service: Service) -> FastAPI:
    """Return the application that answers for `service`; who may ask it is the guard's matter."""
    app = FastAPI(
        title="Refract",
        description="A corpus of texts by any of its views: search, look, label.",
        version="1",
        docs_url=None,  # FastAPI's own page loads from elsewhere
        redoc_url=None,
        lifespan=_living,
    )
    app.state.service = service
    app.add_exception_handler(InputError, _told)
    for module in ROUTES:
        app.include_router(module.router)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    from anyio.to_thread import current_default_thread_limiter

    current_default_thread_limiter().total_tokens = _AT_ONCE * (os.cpu_count() or 1)
    yield


async def _told(_: Request, error: Exception) -> JSONResponse:
    """Answer with the line that the command line would print."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    return JSONResponse({"detail": " ".join(str(error).split())}, status)
