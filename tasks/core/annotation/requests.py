"""Many questions at once: limits, patience and a budget around the calls to a language model."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

from tasks.core.annotation.answer_cache import AnswerCache
from tasks.core.annotation.budget import BudgetTracker
from tasks.core.llm.answers import Answer, LanguageModel, NoAnswerError, PromptRequest, cure
from tasks.core.settings.label_section import LabelSettings
from tasks.core.workspace.errors import InputError

LONGEST_WAIT = 60.0  # seconds between two tries
LONGEST_ORDER = 600.0  # seconds; who asks for more is to be asked another time
ROOM, MOST_ROOM = 4, 16  # times the tokens where an answer was cut: at once, and at most
GIVE_UP = 10  # questions in a row without any answer: the endpoint is down, not unlucky

FIRST_WAIT = 0.5  # seconds before the second try, doubling from then on, as openai's own client

Connect = Callable[[], AbstractAsyncContextManager[LanguageModel]]


@dataclass
class Asked:
    """Answers by key; `failed` says why a question has none, `unasked` were beyond the budget."""

    answers: dict[str, Answer] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unasked: int = 0
    known: int = 0

    @property
    def reasons(self) -> dict[str, int]:
        """How many questions failed, by reason."""
        return dict(sorted(Counter(self.failed.values()).items()))


@dataclass
class Pace:
    """When the next request may go out; per_minute None: at once."""

    per_minute: int | None
    first_wait: float = FIRST_WAIT
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def turn(self) -> None:
        """Wait for a place: requests go out evenly, so that no minute has more than its number.

        One waits for the time, the others for it, so that an order given meanwhile holds for all.
        """
        async with self._first:
            now = self.clock()
            self._next = max(self._next, now)
            while self._next > now:
                await self.sleep(self._next - now)
                now = self.clock()
            self._next += 60 / self.per_minute if self.per_minute else 0.0

    async def back_off(self, key: str, attempt: int, order: float | None) -> None:
        """Wait before another try; what the endpoint orders holds for every request.

        An order not to wait is followed once: the next tries wait as without one.
        """
        if order is not None:
            self._next = max(self._next, self.clock() + order)
            if not attempt:
                return
        spread = 0.5 + int(key[:8], 16) / 2**33  # 0.5 to 1: those that failed together come apart
        await self.sleep(min(LONGEST_WAIT, self.first_wait * 2**attempt) * spread)


def ask_all(
    connect: Connect,
    model: str,
    questions: Sequence[PromptRequest],
    cache: AnswerCache,
    budget: BudgetTracker,
    settings: LabelSettings,
    step: str,
    advance: Callable[[int], None],
    pace: Pace,
) -> Asked:
    """Ask what is not known yet; each answer is kept as it comes.

    InputError where the endpoint refuses on principle or does not answer at all.
    """
    wanted = {question.key(model): question for question in questions}
    asked = Asked(cache.answers(list(wanted)))
    asked.known = len(asked.answers)
    advance(asked.known)
    todo = {key: each for key, each in wanted.items() if key not in asked.answers}
    if todo:
        asyncio.run(_Round(todo, asked, cache, budget, settings, step, advance, pace).run(connect))
    return asked


class _Round:
    def __init__(
        self,
        todo: dict[str, PromptRequest],
        asked: Asked,
        cache: AnswerCache,
        budget: BudgetTracker,
        settings: LabelSettings,
        step: str,
        advance: Callable[[int], None],
        pace: Pace,
    ) -> None:
        self._todo, self._asked, self._cache, self._budget = todo, asked, cache, budget
        self._settings, self._step, self._advance, self._pace = settings, step, advance, pace
        self._queue: Iterator[tuple[str, PromptRequest]] = iter(todo.items())
        self._unlucky = 0
        self._room = 1  # times the tokens that answers were seen to need
        self._spent = False
        self._settled = asyncio.Event()

    async def run(self, connect: Connect) -> None:
        """Let as many workers as may be in flight empty the queue; the first error ends all."""
        workers = min(self._settings.in_flight, len(self._todo))
        async with connect() as model:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(workers):
                        group.create_task(self._work(model))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from None
        done = len(self._asked.answers) - self._asked.known + len(self._asked.failed)
        self._asked.unasked = len(self._todo) - done

    async def _work(self, model: LanguageModel) -> None:
        for key, question in self._queue:
            if self._spent:
                return
            await self._ask(model, key, question)

    async def _ask(self, model: LanguageModel, key: str, question: PromptRequest) -> None:
        """Ask until there is an answer; with more room where one was cut."""
        last, attempt, room, unpaid = None, 0, self._room, False
        while attempt < self._settings.tries:
            await self._pace.turn()
            sized = replace(question, size=question.size * room)
            reserved = await self._reserve(sized)
            if reserved is None:
                self._spent = unpaid = self._spent or last is None or not last.cut
                break
            try:
                await self._call(model, key, sized, reserved)
                self._room = max(self._room, room)
                return
            except NoAnswerError as error:
                self._check_order(error)
                if last is not None and last.cut and not error.passing:
                    break  # it does not give as much room: the answer stays cut
                last = error
                attempt += not error.learnt
                if not error.passing or (error.cut and room >= MOST_ROOM):
                    break
                room *= ROOM if error.cut else 1
                if attempt < self._settings.tries:
                    waited = 0 if error.learnt or error.cut else attempt - 1
                    await self._pace.back_off(key, waited, error.wait)
        if last is not None and not unpaid:
            self._asked.failed[key] = last.kind
            self._advance(1)
            self._check_luck(last)

    async def _reserve(self, question: PromptRequest) -> float | None:
        """Take the price of a call; wait where calls under way hold what they may not need."""
        while (reserved := self._budget.reserve(question)) is None and self._budget.under_way:
            self._settled.clear()
            await self._settled.wait()
        return reserved

    def _settle(self, reserved: float, answer: Answer | None) -> float:
        self._settled.set()
        return self._budget.settle(reserved, answer)

    async def _call(
        self, model: LanguageModel, key: str, question: PromptRequest, reserved: float
    ) -> None:
        call = self._cache.begin(self._step, key)
        try:
            answer = await model.ask(question)
        except NoAnswerError as error:
            usd = self._settle(reserved, error.billed)
            self._cache.failed(call, error.kind, error.billed, usd)
            raise
        except InputError:
            self._cache.failed(call, "refused")
            raise
        self._cache.answered(call, answer, self._settle(reserved, answer))
        self._asked.answers[key] = answer
        self._unlucky = 0
        self._advance(1)

    def _check_order(self, error: NoAnswerError) -> None:
        if error.wait is not None and error.wait > LONGEST_ORDER:
            raise InputError(
                f"the endpoint asks to wait {error.wait:,.0f} s ({error.kind}); expected at most"
                f" {LONGEST_ORDER:.0f}; run the same command later: what was answered is kept"
            )

    def _check_luck(self, last: NoAnswerError) -> None:
        """Stop where nothing is answered; that some texts are refused stops nothing else."""
        if not last.passing and self._asked.answers:
            return
        self._unlucky += 1
        if self._unlucky >= max(GIVE_UP, self._settings.in_flight):
            raise InputError(
                f"the endpoint left {self._unlucky} questions in a row without an answer, the last"
                f" for: {last}; expected answers; {cure(last.kind)}, then run the same command:"
                " what was answered is kept"
            )
