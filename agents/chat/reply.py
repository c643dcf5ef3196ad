"""What came back from a chat model, read as a reply: its text, its tokens and its cost."""

from __future__ import annotations

import json
from typing import Any

from ...ledger import Reply
from ...seams import Message
from .prices import Prices

REPLY_CAP = 20_000
"""Characters of a reply that are kept."""
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""What LangChain and the providers' clients raise on a body that is not as it should be."""


class NoReply(Exception):
    """What came back is no reply."""


def read_reply(answer: Any, messages: list[Message], seconds: float, prices: Prices | None) -> Reply:
    """Keep an answer with what it cost; tokens that the server does not tell are estimated.

    An answer without text whose tokens were charged is a reply too: the model thought until its limit, and would again.

    Args:
        answer: LangChain's message.
        messages: What was asked.
        seconds: How long it took.
        prices: None counts no dollars.

    Raises:
        NoReply: If it has no text and cost nothing.
    """
    usage = answer.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    text = str(answer.text) or _arguments(answer)
    return _reply(messages, text, (usage["input_tokens"], usage["output_tokens"]), seconds, prices)


def read_cut_reply(error: Exception, messages: list[Message], seconds: float, prices: Prices | None) -> Reply | None:
    """Return the reply inside OpenAI's complaint that JSON was cut off at the token limit; it was paid for.

    None if the error is another.
    """
    from openai import LengthFinishReasonError

    if not isinstance(error, LengthFinishReasonError):
        return None
    usage = error.completion.usage
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return _reply(messages, error.completion.choices[0].message.content or "", tokens, seconds, prices)


def _reply(messages: list[Message], text: str, tokens: tuple[int, int], seconds: float, prices: Prices | None) -> Reply:
    from langchain_core.messages.utils import count_tokens_approximately

    tokens_in, tokens_out = tokens
    if not text and not tokens_out:
        raise NoReply("the reply has no text")
    # A count of none is none that was told; a budget must see that something was spent.
    tokens_in = tokens_in or count_tokens_approximately(list[Any](messages))
    tokens_out = tokens_out or count_tokens_approximately([text])
    usd = prices.usd(tokens_in, tokens_out) if prices else 0.0
    return Reply(text[:REPLY_CAP], tokens_in, tokens_out, usd, seconds)


def _arguments(answer: Any) -> str:
    """Return the arguments of a tool: where some providers put an answer with a schema."""
    calls = answer.tool_calls
    return json.dumps(calls[0]["args"]) if calls else ""
