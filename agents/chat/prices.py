"""What a chat model's tokens cost, by the price table of `genai-prices`, which needs no network."""

from __future__ import annotations

from typing import NamedTuple

SAMPLE = 1000
"""Tokens that the table is asked for; some models charge more for very long prompts, which ours are not."""
MILLION = 1_000_000


class Prices(NamedTuple):
    """US dollars a million tokens; what a provider takes off for tokens it has cached is left out of account."""

    read: float
    written: float

    def usd(self, tokens_in: int, tokens_out: int) -> float:
        """Return what a call costs."""
        return (tokens_in * self.read + tokens_out * self.written) / MILLION


def listed_prices(model: str, base_url: str | None) -> Prices | None:
    """Look a model up in the price table; None if it is not there.

    Args:
        model: `provider:model`; with `base_url` the model alone.
        base_url: A server; that of a known provider has prices too.
    """
    from genai_prices import Usage, calc_price

    provider, colon, name = model.partition(":")
    usage = Usage(input_tokens=SAMPLE, output_tokens=SAMPLE)
    try:
        if base_url is not None:
            found = calc_price(usage, model, provider_api_url=base_url)
        else:
            found = calc_price(usage, name if colon else model, provider_id=provider if colon else None)
    except (LookupError, ValueError):
        return None
    return Prices(*(float(price) * MILLION / SAMPLE for price in (found.input_price, found.output_price)))
