"""CounterFact as ROME publishes it (arXiv 2202.05262): beginnings of sentences, with a false end."""

from __future__ import annotations

from ...errors import InputError
from ..rows import Row
from .fact import Fact, Unrelated
from .fields import as_sentence, hops, inner, optional_texts


def counterfact_fact(row: Row) -> Fact:
    """Read one entry.

    The prompts are beginnings of sentences, which a chat model is asked to complete. Neighbourhood prompts, about
    subjects of which the old answer is true, are the unrelated questions. `attribute_prompts` and `generation_prompts`
    are not used: they measure probabilities and style.

    Raises:
        InputError: If a field is missing or of the wrong kind.
    """
    told = inner(row, "requested_rewrite")
    subject, prompt = told.text("subject"), told.text("prompt")
    if "{}" not in prompt:
        raise InputError(f"{told.where}: prompt: {prompt[:60]!r} has no {{}} for the subject; put it in")
    beginning = prompt.replace("{}", subject)
    new, old = inner(told, "target_new").text("str"), inner(told, "target_true").text("str")
    neighbours = optional_texts(row, "neighborhood_prompts")
    return Fact(
        id=f"case-{row.text('case_id')}" if "case_id" in row.fields else "",
        subject=subject,
        relation=told.text("relation_id") if "relation_id" in told.fields else "fact",
        question=as_sentence(beginning),
        answer=new,
        old=old,
        statement=f"{beginning} {new}.",
        paraphrases=tuple(map(as_sentence, optional_texts(row, "paraphrase_prompts"))),
        unrelated=tuple(Unrelated(question=as_sentence(prompt), answer=old) for prompt in neighbours),
        hops=tuple(hops(row)),
    )
