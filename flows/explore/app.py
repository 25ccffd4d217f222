"""The service as a FastAPI application: one module of routes a subject, and the page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from flows.explore.learning.learner import Learner
from flows.explore.routes import (
    events,
    labels,
    places,
    points,
    queues,
    reference,
    rows,
    search,
    static,
    versions,
    views,
)
from flows.explore.service import Service
from tasks.core.text.discretion import cut
from tasks.core.workspace.errors import InputError, MissingError, UnmadeError

ROUTES = (
    *(views, search, rows, places, points, labels, queues),
    *(versions, events, reference, static),
)
"""Each has a `router`."""
_AT_ONCE = 4  # questions a core; what waits for them holds up neither events nor pages
_MISTAKES = 10  # of one request that are told
_STATUS: dict[type[InputError], int] = {MissingError: 404, UnmadeError: 503}


class Problem(BaseModel):
    """Why there is no answer: what was found, what was expected, and what to do next."""

    detail: str


_PROBLEMS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "what was asked cannot be answered"},
    401: {"model": Problem, "description": "no token, or another one"},
    403: {"model": Problem, "description": "asked by a page of others"},
    404: {"model": Problem, "description": "no such view, id or column"},
    409: {"model": Problem, "description": "labels for another workspace"},
    413: {"model": Problem, "description": "more than is taken at a time"},
    500: {"model": Problem, "description": "a fault of Refract's own"},
    503: {"model": Problem, "description": "tables that are not made yet"},
}


def explore_app(service: Service) -> FastAPI:
    """Return the application that answers for `service`; who may ask it is the guard's matter."""
    app = FastAPI(
        title="Refract",
        description="A corpus of texts by any of its views: search, look, label.",
        version="1",
        docs_url=None,  # FastAPI's own page loads from elsewhere
        redoc_url=None,
        responses=_PROBLEMS,
        dependencies=[Depends(HTTPBearer(auto_error=False))],  # for the description alone
        lifespan=_living,
    )
    app.state.service = service
    app.state.learner = Learner(service)
    app.add_exception_handler(InputError, _told)
    app.add_exception_handler(RequestValidationError, _mistaken)
    app.add_exception_handler(405, _no_such_method)
    app.add_exception_handler(Exception, _own_fault)
    for module in ROUTES:
        app.include_router(module.router)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    from anyio.to_thread import current_default_thread_limiter

    current_default_thread_limiter().total_tokens = _AT_ONCE * (os.cpu_count() or 1)
    with app.state.learner.going_on():
        yield


async def _told(_: Request, error: Exception) -> JSONResponse:
    """Answer with the line that the command line would print."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    return JSONResponse({"detail": " ".join(str(error).split())}, status)


async def _mistaken(_: Request, error: Exception) -> JSONResponse:
    """Tell where a request is not of its form, in FastAPI's words, and repeat nothing of it.

    What was sent may be long, and no JSON: NaN, or half of a character.
    """
    found = error.errors() if isinstance(error, RequestValidationError) else []
    told = [
        {
            "type": one["type"],
            "loc": [cut(part) if isinstance(part, str) else part for part in one["loc"]],
            "msg": one["msg"],
        }
        for one in found[:_MISTAKES]
    ]
    return JSONResponse({"detail": told}, 422)


async def _no_such_method(request: Request, _: Exception) -> JSONResponse:
    """Name all methods of a path; the router itself knows those of one function alone."""
    routes = [route for module in ROUTES for route in module.router.routes]
    same = [
        route.methods or set()
        for route in routes
        if isinstance(route, APIRoute) and route.path_regex.match(request.scope["path"])
    ]
    allowed = ", ".join(sorted(set().union(*same)))
    told = f"found the method {request.method}; expected {allowed}; see /docs"
    return JSONResponse({"detail": told}, 405, {"Allow": allowed})


async def _own_fault(_: Request, error: Exception) -> JSONResponse:
    """Answer without the traceback, which stands where the service was started."""
    told = f"found a fault of Refract's own ({type(error).__name__}); its traceback is printed"
    return JSONResponse({"detail": f"{told} where 'refract explore' runs; report it"}, 500)
