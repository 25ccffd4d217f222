"""What the page asks of `refract explore`, answered from memory: any number of texts, any fault.

It says what the service says, with the same names; what the service does is tested with itself.
"""

from __future__ import annotations

import asyncio
import io
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import uvicorn
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from flows.explore.guard import POLICY
from flows.explore.routes import static

LABELS = ["angry", "glad", "neutral"]
CHANNELS = ["chat", "email", "phone"]
READY = "document.documentElement.dataset.ready === 'true' && !!refract.model.paint"
"""That the page is open, and its maps are painted."""


def corpus(many: int, seed: int = 0) -> pl.DataFrame:
    """Return texts with a place on two maps: id, text, channel, label, confidence, novelty."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(len(LABELS), size=many)
    angle = 2 * np.pi * kind / len(LABELS)
    places = np.stack([np.cos(angle), np.sin(angle)], 1) * 0.6 + rng.normal(0, 0.1, (many, 2))
    base = rng.normal(0, 0.3, (many, 2))
    return pl.DataFrame(
        {
            "id": [f"t{n:06}" for n in range(many)],
            "text": [f"text {n}, which says {LABELS[kind[n]]} things" for n in range(many)],
            "channel": [CHANNELS[n % 3] for n in range(many)],
            "label": [LABELS[n] for n in kind],
            "confidence": rng.beta(5, 1, many),
            "novelty": rng.beta(1, 8, many),
            "x": np.clip(places[:, 0], -1, 1),
            "y": np.clip(places[:, 1], -1, 1),
            "base_x": np.clip(base[:, 0], -1, 1),
            "base_y": np.clip(base[:, 1], -1, 1),
        }
    )


class Pretended:
    """A service of `texts` with one view, `mood`, on a port of its own; use it as a context.

    posted: bodies of labels that came; refuse: called with each, may return what to answer.
    named: bodies of names of labels, by instruction.
    seen: what was asked, path and query; held: parts of these that wait until they are taken out.
    broken: parts of these that are refused, with the line; deaf: events end, and are refused.
    moved: id → label that it had in each earlier version; made: what the corpus is known by.
    without: what the view is without; gate: how the quality gate has ruled on it; scores: those
    of it that are others than usual; by_names: it is of names of labels alone.
    """

    def __init__(self, texts: pl.DataFrame, own: tuple[str, ...] = ("channel",)) -> None:
        self.texts, self.own = texts, list(own)
        self.posted: list[dict[str, Any]] = []
        self.refuse: Callable[[dict[str, Any]], Response | None] = lambda _: None
        self.given: dict[str, str] = {}
        self.named: dict[str, Any] = {}
        self.seen: list[str] = []
        self.held: set[str] = set()
        self.broken: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.without: list[str] = []
        self.scores: dict[str, Any] = {}
        self.by_names = False
        self.gate: dict[str, str] | None = None
        self.deaf, self.version, self.workspace, self.made = False, 1, "here", "c"
        self._told: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        config = uvicorn.Config(_app(self), port=0, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Pretended:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self.deaf = True
        self.held.clear()
        self._thread.join()

    def tell(self, event: str, **data: Any) -> None:
        """Tell the page that something happened."""
        self._told.put((event, data))

    async def events(self) -> AsyncIterator[str]:
        yield "retry: 100\n\n"
        while not self.deaf:
            try:
                event, data = self._told.get_nowait()
            except queue.Empty:
                await asyncio.sleep(0.05)
            else:
                yield f"event: {event}\ndata: {json.dumps(data)}\n\n"

    def view(self, name: str) -> dict[str, Any]:
        of_view = name == "mood"
        counts = dict(self.texts["label"].value_counts().iter_rows()) if of_view else {}
        scores = {"before": {"knn": 40.0}, "after": {"knn": 80.0}, "right": 80.0 + self.version}
        scores |= {"accuracy": 60.0, "intervals": {"right": {"low": 70.0, "high": 93.0}}}
        scores |= {"texts": len(self.given)} | self.scores
        return {
            **{"name": name, "wording": "how the writer feels" if of_view else "as it is"},
            **{"rows": len(self.texts), "labels": sorted(counts), "counts": counts},
            **{"scores": scores if of_view else None, "gate": self.gate if of_view else None},
            **{"labelled": len(self.given)},
            **{"version": f"view/mood/v{self.version}" if of_view else None},
            **{"transform": f"f{self.version}" if of_view else None},
            **{"fitting": False, "labels_needed": None, "by_names": self.by_names},
            **{"without": self.without if of_view else []},
        }

    def rows(self, name: str, where: str | None) -> pl.DataFrame:
        """Return the texts that fit a condition, as SQL of Polars has it, with their places."""
        reading = ["label", "confidence", "novelty"] if name == "mood" else []
        found = self.texts.select("id", "text", *self.own, *reading).with_row_index("row")
        if where:
            found = pl.SQLContext(t=found).execute(f"select * from t where {where}", eager=True)  # noqa: S608
        return found

    def points(self, name: str) -> pa.Table:
        turned = np.array([[np.cos(self.version), -np.sin(self.version)]] * 2)
        turned[1] = turned[0][::-1] * [-1, 1]
        at = ("x", "y") if name == "mood" else ("base_x", "base_y")
        places = self.texts.select(at).to_numpy() @ (turned if name == "mood" else np.eye(2))
        none = pa.nulls(len(self.texts), pa.string())
        label = self.texts["label"].to_arrow().cast(pa.string()) if name == "mood" else none
        columns = {"id": self.texts["id"].to_arrow().cast(pa.string())}
        columns |= {axis: pa.array(places[:, n], pa.float32()) for n, axis in enumerate("xy")}
        columns |= {"label": label.dictionary_encode()}
        for reading in ("confidence", "novelty"):
            columns[reading] = pa.array(self.texts[reading].to_numpy(), pa.float32())
        many = str(len(self.texts))
        about = {"rows": many, "total": many, "corpus": self.made, "transform": f"f{self.version}"}
        return pa.table(columns).replace_schema_metadata(about)

    def recorded(self, number: int) -> dict[str, Any]:
        """Return what git would say of a version."""
        return {
            **{"tag": f"view/mood/v{number}", "here": number == self.version, "labels": number},
            **{"date": f"2026-11-2{number}T10:00:00", "commit": "c", "right": 80.0 + number},
            **{"before": {"knn": 40.0}, "after": {"knn": 80.0}, "transform": f"f{number}"},
        }

    def compared(self, to: str) -> dict[str, Any]:
        """Return which texts have another label since a version."""
        moved = self.moved if to != f"view/mood/v{self.version}" else {}
        told = [
            {"id": key, "before": {"label": moved[key]}, "after": {"label": label}}
            | {"neighbours_kept": 0.5, "text": text}
            for key, label, text in self.texts.select("id", "label", "text").iter_rows()
            if key in moved
        ]
        common = len(self.texts) if moved else 0
        return {"common": common, "total": len(told), "neighbours_kept": 0.7, "moved": told}


def _arrow(table: pa.Table) -> Response:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as to:
        to.write_table(table, max_chunksize=65_536)
    return Response(sink.getvalue(), media_type="application/vnd.apache.arrow.stream")


def _hits(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.drop("row").to_dicts()


def _app(told: Pretended) -> FastAPI:
    app = FastAPI()
    for add in (_look, _find, _queue, _label, _tell):
        add(app, told)
    app.include_router(static.router)
    return app


def _look(app: FastAPI, told: Pretended) -> None:
    @app.middleware("http")
    async def guarded(request: Request, answer: Any) -> Any:
        asked = f"{request.url.path}?{request.url.query}"
        told.seen.append(asked)
        while any(part in asked for part in tuple(told.held)):
            await asyncio.sleep(0.02)
        why = next((line for part, line in tuple(told.broken.items()) if part in asked), None)
        reply = refusal(400, why) if why else await answer(request)
        reply.headers["content-security-policy"] = POLICY
        return reply

    @app.get("/views")
    def views() -> Any:
        columns = [{"name": name, "type": "string"} for name in told.own]
        views = [told.view(name) for name in ("base", "mood")]
        corpus = {"texts": len(told.texts), "columns": columns}
        known = {"known_as": told.workspace, "min_rows": 12, "told_from": 20}
        return {**known, "corpus": corpus, "views": views}

    @app.get("/views/{name}/points")
    def points(name: str) -> Response:
        return _arrow(told.points(name))

    @app.get("/views/{name}/column/{column}")
    def column(name: str, column: str) -> Response:
        return _arrow(pa.table({column: told.texts[column].to_arrow().cast(pa.string())}))

    @app.get("/views/{name}/matching")
    def matching(name: str, where: str) -> Response:
        return _arrow(pa.table({"row": pa.array(told.rows(name, where)["row"], pa.uint32())}))


def _find(app: FastAPI, told: Pretended) -> None:
    @app.get("/views/{name}/rows")
    def rows(name: str, limit: int, offset: int, where: str | None = None) -> Any:
        found = told.rows(name, where)
        return {"total": len(found), "rows": _hits(found[offset : offset + limit])}

    @app.get("/views/{name}/texts")
    def texts(name: str, id: list[str] = Query()) -> Any:  # noqa: A002, B008
        found = {row["id"]: row for row in _hits(told.rows(name, None))}
        return {"texts": [found[one] for one in id if one in found]}

    @app.get("/views/{name}/search")
    def search(name: str, q: str, k: int, where: str | None = None) -> Any:
        found = told.rows(name, where).filter(pl.col("text").str.contains(q, literal=True))
        return {"hits": [row | {"score": 0.5} for row in _hits(found[:k])], "view": name}

    @app.get("/views/{name}/similar/{id:path}")
    def similar(name: str, id: str, k: int) -> Any:  # noqa: A002
        found = told.rows(name, None).filter(pl.col("id") != id)
        return {"hits": [row | {"score": 0.5} for row in _hits(found[:k])], "view": name}

    @app.get("/views/{name}/facets")
    def facets(name: str, where: str | None = None) -> Any:
        found = told.rows(name, where)
        counts = {c: dict(found[c].value_counts().head(20).iter_rows()) for c in told.own}
        columns = {c: {"kind": "values", "values": n, "others": 0} for c, n in counts.items()}
        labels = dict(found["label"].value_counts().iter_rows()) if name == "mood" else {}
        return {"total": len(found), "labels": labels, "columns": columns}


def _queue(app: FastAPI, told: Pretended) -> None:
    @app.get("/views/{name}/suggest")
    def suggest(name: str, n: int, random: bool = False) -> Any:
        found = told.rows("mood", None).filter(~pl.col("id").is_in(list(told.given)))[:n]
        extra = {"label": None, "why": "drawn at random" if random else "near a boundary"}
        return {"texts": [row | {"suggested": row["label"]} | extra for row in _hits(found)]}

    @app.get("/views/{name}/doubts")
    def doubts(name: str, n: int) -> Any:
        found = told.texts[:n].select("id", "text", label=pl.concat_list("label"))
        extra = {"p_label": 0.1, "likelier": LABELS[0], "p_likelier": 0.8}
        return {"rows": [row | extra for row in found.to_dicts()]}


def _label(app: FastAPI, told: Pretended) -> None:
    @app.get("/views/{name}/labels")
    def labels(name: str) -> Any:
        rows = [{"id": key, "label": label} for key, label in told.given.items()]
        return {"annotator": "explore", "rows": [r | {"annotator": "explore"} for r in rows]}

    @app.post("/views/{name}/labels")
    async def post(name: str, request: Request) -> Any:
        body = await request.json()
        told.posted.append(body)
        refused = told.refuse(body)
        if body["known_as"] != told.workspace:
            refused = refusal(409, "known_as: found another workspace")
        if refused is not None:
            return refused
        for row in body["rows"]:
            if row["label"] is None:
                told.given.pop(row["id"], None)
            else:
                told.given[row["id"]] = row["label"]
        more = {"file": "data/labels/mood/explore-ann.jsonl", "labels_needed": None}
        return {"key": body["key"], "labelled": len(told.given), "classes": {}} | more

    @app.post("/views/{name}/classes")
    async def begin(name: str, request: Request) -> Any:
        body = await request.json()
        told.named[name] = body
        return {"file": f"data/labels/{name}.classes.txt", "classes": body["classes"]}


def _tell(app: FastAPI, told: Pretended) -> None:
    @app.get("/views/{name}/versions")
    def versions(name: str) -> Any:
        return {"versions": [told.recorded(n) for n in range(told.version, 0, -1)], "why": ""}

    @app.get("/views/{name}/compare")
    def compare(name: str, to: str) -> Any:
        return told.compared(to)

    @app.get("/events")
    async def events() -> Response:
        if told.deaf:
            return refusal(401, "found no token of this service")
        return StreamingResponse(told.events(), media_type="text/event-stream")


def refusal(status: int, line: str) -> JSONResponse:
    """Return what the service answers where it cannot do something."""
    return JSONResponse({"detail": line}, status)
