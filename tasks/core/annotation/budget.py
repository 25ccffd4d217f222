"""What calls may cost: an instruction never spends more than its budget."""

from __future__ import annotations

from tasks.core.annotation.answer_cache import Spent
from tasks.core.llm.answers import Answer, PromptRequest
from tasks.core.settings.label_section import LabelSettings


def price(settings: LabelSettings, tokens_in: int, tokens_out: int) -> float:
    """Return what tokens sent and answered cost, in dollars."""
    return (tokens_in * settings.usd_in + tokens_out * settings.usd_out) / 1e6


class BudgetTracker:
    """What is left of an instruction's budget, `label.max_calls` and `label.max_usd`.

    Calls under way count with the most that they may cost.
    """

    def __init__(self, settings: LabelSettings, spent: Spent) -> None:
        """spent: what the instruction has cost in earlier runs."""
        self._settings = settings
        self._calls, self.usd = spent.calls, spent.usd
        self.tokens = spent.tokens_in + spent.tokens_out
        self._reserved = 0.0
        self.under_way = 0

    def __str__(self) -> str:
        """Return what was spent: dollars where tokens have a price, else the number of tokens."""
        priced = self._settings.usd_in or self._settings.usd_out
        return f"${self.usd:,.2f}" if priced else f"{self.tokens:,} tokens"

    def reserve(self, question: PromptRequest) -> float | None:
        """Take the price of one call out of the budget; None where it holds too little."""
        most = price(self._settings, question.tokens(), question.size)
        limit, calls = self._settings.max_usd, self._settings.max_calls
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
        usd = price(self._settings, answer.tokens_in, answer.tokens_out)
        self.usd += usd
        self.tokens += answer.tokens_in + answer.tokens_out
        return usd
