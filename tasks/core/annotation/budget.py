"""What calls may cost: an instruction never spends more than its budget."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.annotation.answer_cache import Spent
from tasks.core.llm.answers import Answer, PromptRequest


@dataclass(frozen=True)
class Budget:
    """Prices in dollars a million tokens, and limits for an instruction; None: no limit."""

    usd_in: float = 0.0
    usd_out: float = 0.0
    max_calls: int | None = None
    max_usd: float | None = None

    def usd(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price in dollars of tokens sent and answered."""
        return (tokens_in * self.usd_in + tokens_out * self.usd_out) / 1e6


class BudgetTracker:
    """What is left of a budget; calls under way count with the most that they may cost."""

    def __init__(self, budget: Budget, spent: Spent) -> None:
        self._budget = budget
        self._calls, self.usd = spent.calls, spent.usd
        self.tokens = spent.tokens_in + spent.tokens_out
        self._reserved = 0.0
        self.under_way = 0

    def __str__(self) -> str:
        """Return what was spent: dollars where tokens have a price, else the number of tokens."""
        priced = self._budget.usd_in or self._budget.usd_out
        return f"${self.usd:,.2f}" if priced else f"{self.tokens:,} tokens"

    def reserve(self, question: PromptRequest) -> float | None:
        """Take the price of one call out of the budget; None where it holds too little."""
        most = self._budget.usd(question.tokens(), question.size)
        limit, calls = self._budget.max_usd, self._budget.max_calls
        if calls is not None and self._calls >= calls:
            return None
        if limit is not None and self.usd + self._reserved + most > limit:
            return None
        self._calls += 1
        self.under_way += 1
        self._reserved += most
        return most

    def settle(self, reserved: float, answer: Answer | None) -> float:
        """Replace what was reserved by what a call did cost, and return that."""
        self.under_way -= 1
        self._reserved -= reserved
        if answer is None:
            return 0.0
        usd = self._budget.usd(answer.tokens_in, answer.tokens_out)
        self.usd += usd
        self.tokens += answer.tokens_in + answer.tokens_out
        return usd
