"""The bill of a run before it begins: what each of those who are paid will take, as `tutelage doctor` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .budget import dollars
from .config import StopConfig
from .spending import Spending

_UNKNOWN = "price unknown"


class Bill(NamedTuple):
    """What one of those who are paid takes in a whole run."""

    who: str
    likely: Spending
    most: Spending
    prices: tuple[float, float] | None
    """US dollars a million tokens read and written; None if that is not known."""

    def usd(self, spending: Spending) -> float | None:
        """Return what it costs, in US dollars."""
        if self.prices is None:
            return None
        return (spending.tokens_in * self.prices[0] + spending.tokens_out * self.prices[1]) / 1e6


def as_document(bills: Sequence[Bill]) -> dict[str, Any]:
    """Return the estimate as `tutelage doctor --json` prints it; `usd` is null where a price is not known."""
    rows = [
        {
            "who": bill.who,
            "likely": _row(bill.likely, bill.usd(bill.likely)),
            "most": _row(bill.most, bill.usd(bill.most)),
        }
        for bill in bills
    ]
    likely, most = total(bills)
    return {"plugins": rows, "likely": _row(*likely), "most": _row(*most)}


def as_lines(bills: Sequence[Bill], stop: StopConfig) -> Iterator[str]:
    """Yield the estimate for a person, and how it compares with the run's limits."""
    for bill in bills:
        yield f"cost {bill.who}: likely {_told(bill.likely, bill.usd(bill.likely))}"
        yield f"cost {bill.who}: at most {_told(bill.most, bill.usd(bill.most))}"
    if not bills:
        yield "cost no calls to pay for, as far as the teachers say"
        return
    likely, most = total(bills)
    if len(bills) > 1:
        yield f"cost together: likely {_told(*likely)}"
        yield f"cost together: at most {_told(*most)}"
    if stop.max_usd is not None and most[1] is not None and most[1] > stop.max_usd:
        yield f"note the most is above stop.max_usd ({dollars(stop.max_usd)}): the run might stop, and a resume go on"
    tokens = most[0].tokens_in + most[0].tokens_out
    if stop.max_tokens is not None and tokens > stop.max_tokens:
        yield f"note the most is above stop.max_tokens ({stop.max_tokens:,}): the run might stop, and a resume go on"


def total(bills: Sequence[Bill]) -> tuple[tuple[Spending, float | None], tuple[Spending, float | None]]:
    """Return what is likely and what is the most of all together, with the dollars if all prices are known."""
    likely = most = Spending()
    likely_usd: float | None = 0.0
    most_usd: float | None = 0.0
    for bill in bills:
        likely, most = likely.plus(bill.likely), most.plus(bill.most)
        likely_usd, most_usd = _sum(likely_usd, bill.usd(bill.likely)), _sum(most_usd, bill.usd(bill.most))
    return (likely, likely_usd), (most, most_usd)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _row(spending: Spending, usd: float | None) -> dict[str, Any]:
    return {**spending._asdict(), "usd": None if usd is None else round(usd, 6)}


def _told(spending: Spending, usd: float | None) -> str:
    cost = _UNKNOWN if usd is None else f"{dollars(usd)} dollars"
    return f"{spending.calls:,} calls, {spending.tokens_in:,} tokens in, {spending.tokens_out:,} out, {cost}"
