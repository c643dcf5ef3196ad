r"""Read a chat model's reply as a worked solution: plain sentences, then a last line `Answer: X`.

Tolerant of thoughts, fences, JSON, headings, lists, bold, `\boxed{}` and other LaTeX, an answer that comes first, and
talk around the solution. It leaves out and rewrites marks, but it makes no answer up: where none is declared, there is
none. Every pattern takes linear time.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .json_reply import Solution, fields_of
from .markup import is_talk, plain_lines, sentences, strip_marks, unboxed

__all__ = ["Reading", "Solution", "clean", "read_solution"]


class Reading(NamedTuple):
    """What was read of a reply."""

    text: str
    """The solution; its last line declares the answer, if there is one."""
    answer: str | None


_DECLARED = re.compile(r"(?:\b(?:the|my) )?\b(?:final |correct |right )?answer\s{0,3}[:=]", re.IGNORECASE)
_SAID = re.compile(
    r"(?:\b(?:so|thus|therefore|hence),? )?\bthe (?:final |correct |right )?answer is:?\s(?P<rest>[^\n]{1,200})",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,/]*%?")
_AGAIN = re.compile(r"(?:the )?(?:final |correct |right )?answer(?: is)?\s{0,3}[:=]?\s{1,3}(?=\S)", re.IGNORECASE)
_NAMED = re.compile(r"[A-Za-z]\w{0,15}\s{0,3}=\s{0,3}([-+]?[$€£]?\d[\d.,/]*%?)\.?")
_NUMBER_THEN_TALK = re.compile(r"([-+]?[$€£]?\d[\d,]*(?:[./]\d+)?%?)[.!](?:\s.*)?", re.DOTALL)


def clean(text: str) -> str:
    """Take out `<think>` blocks and the lines of code fences; what is between the fences stays.

    A block that never ends runs to the end of the text; one that never began, from its beginning (some servers put
    the opening tag into the prompt).
    """
    kept, rest = [], text
    while rest:
        before, opened, inside = rest.partition("<think>")
        kept.append(before.rpartition("</think>")[2])
        rest = inside.partition("</think>")[2] if opened else ""
    lines = [line for line in "".join(kept).replace("\r\n", "\n").split("\n") if not line.lstrip().startswith("```")]
    return "\n".join(lines).strip()


def read_solution(reply: str, answer_lines: int = 1) -> Reading:
    """Read a reply.

    Args:
        reply: What the model said; anything.
        answer_lines: Lines that the answer to this problem has.

    Returns:
        The solution in its normal form. A text that is in that form already comes back as it is. Never raises.
    """
    said = clean(reply)
    fields = fields_of(said)
    if fields is not None:
        return _reading(plain_lines(fields.body), _unlabelled(fields.answer.strip()) or None)
    if answer_lines > 1:
        return _long_answer(said, answer_lines)
    lines = plain_lines(said)
    found = _marked(lines) or _boxed(lines) or _told(lines)
    return _reading(*found) if found else _reading(lines, None)


def _reading(lines: list[str], answer: str | None) -> Reading:
    """Write a solution in its normal form; a line that only declares the same answer is left out of the body."""
    if answer is None:
        return Reading("\n".join(sentences(lines)), None)
    body = sentences([line for line in lines if not _declares(line, answer)])
    return Reading("\n".join([*body, f"Answer: {answer}"]), answer)


def _declares(line: str, answer: str) -> bool:
    if mark := _DECLARED.match(line):
        return _tidy(line[mark.end() :]) == answer
    said = _SAID.fullmatch(line)
    return said is not None and _tidy(unboxed(said["rest"]).rstrip(".!")) == answer


def _marked(lines: list[str]) -> tuple[list[str], str] | None:
    """Find the last `Answer:`, with the answer behind it or on the next line."""
    for at in range(len(lines) - 1, -1, -1):
        marks = list(_DECLARED.finditer(lines[at]))
        if not marks:
            continue
        before, rest, after = lines[at][: marks[-1].start()].strip(), _tidy(lines[at][marks[-1].end() :]), at + 1
        if not rest and after < len(lines):
            rest, after = _tidy(lines[after]), after + 1
        if rest:
            return _around(lines[:at], before, lines[after:]), rest
    return None


def _boxed(lines: list[str]) -> tuple[list[str], str] | None:
    """Find the last box; the sentence around it stays."""
    for at in range(len(lines) - 1, -1, -1):
        marks = list(_BOXED.finditer(lines[at]))
        answer = _tidy(unboxed(lines[at][marks[-1].start() :], only=True)) if marks else ""
        if answer:
            sentence = unboxed(lines[at])
            alone = strip_marks(sentence).strip(" .$") == answer
            return _around(lines[:at], "" if alone else sentence, lines[at + 1 :]), answer
    return None


def _told(lines: list[str]) -> tuple[list[str], str] | None:
    """Find the last `The answer is X.`; an X in words counts only where no step follows."""
    for at in range(len(lines) - 1, -1, -1):
        mark = _SAID.search(lines[at])
        if mark is None:
            continue
        answer = _tidy(_SENTENCE_END.split(mark["rest"], maxsplit=1)[0])
        behind = lines[at][mark.start("rest") + len(answer) :]
        if answer and (_NUMBER.fullmatch(answer) or not any("=" in line for line in (behind, *lines[at + 1 :]))):
            return _around(lines[:at], lines[at][: mark.start()].strip(), lines[at + 1 :]), answer
    return None


def _around(before: list[str], same_line: str, after: list[str]) -> list[str]:
    """Return the body: what comes before the answer; or, where it comes first, what follows. Else that is talk."""
    body = [*before, *([same_line] if same_line else [])]
    return body if any(not is_talk(line) for line in body) else after


def _long_answer(said: str, answer_lines: int) -> Reading:
    """Find the last `Answer:` of an answer of several lines, which are taken as they stand."""
    marks = list(_DECLARED.finditer(said))
    answer = "\n".join(said[marks[-1].end() :].strip().splitlines()[:answer_lines]).strip() if marks else ""
    return _reading(plain_lines(said[: marks[-1].start()] if answer else said), answer or None)


def _tidy(text: str) -> str:
    r"""Strip markup, a box and `$` from an answer, a name before a number, and what is said after it."""
    bare = _unlabelled(strip_marks(unboxed(text.strip())).strip(" \t$"))
    talked = _NAMED.fullmatch(bare) or _NUMBER_THEN_TALK.fullmatch(bare)
    return talked[1] if talked else bare


def _unlabelled(answer: str) -> str:
    """Leave out a second label, as in `Answer: The answer is 25`."""
    label = _AGAIN.match(answer)
    return answer[label.end() :] if label else answer
