"""Replies of all shapes become sentences and a last line; nothing is made up, nothing hostile takes long."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.agents.chat.parsing import Solution, read_solution

STEPS = "51 - 20 = 31.\n31 - 6 = 25."
WHOLE = f"{STEPS}\nAnswer: 25"


@pytest.mark.parametrize(
    "reply",
    [
        WHOLE,
        "<think>51 - 26 is 24? No.</think>\n" + WHOLE,
        f"```\n{WHOLE}\n```",
        f"Sure! Here is the solution:\n\n{STEPS}\n\n**Answer: 25**",
        f"## Solution\n\n{STEPS}\n\n### Final Answer\n25",
        "1. 51 - 20 = 31\n2. 31 - 6 = 25\n\nAnswer: 25",
        "- 51 - 20 = 31\n- 31 - 6 = 25\n\nThe answer is **25**.",
        "* **51 - 20 = 31**\n* **31 - 6 = 25**\n#### 25",
        "Step 1: 51 - 20 = 31\nStep 2: 31 - 6 = 25\nFinal answer: 25. I hope this helps!",
        "\\(51 - 20 = 31\\)\n\\[31 - 6 = 25\\]\nTherefore, the answer is $\\boxed{25}$.",
        "$51 - 20 = 31$.\n$31 - 6 = 25$.\n\\boxed{25}",
        "Answer: 25\n\n51 - 20 = 31.\n31 - 6 = 25.",
        "The answer is 25.\n51 - 20 = 31.\n31 - 6 = 25.",
        f"Answer: 25\n{STEPS}\nAnswer: 25\n\nLet me know if you have questions!",
        '{"steps": ["51 - 20 = 31.", "31 - 6 = 25."], "answer": "25"}',
        'Here it is:\n```json\n{"Steps": [{"step": "51 - 20 = 31"}, "31 - 6 = 25"], "Final answer": 25}\n```',
        f'{STEPS}\n{{"answer": 25}}',
        "51 - 20\n= 31.\n31 - 6 = 25.\nAnswer:\n25",
        "51 - 20 = 31.\n31 - 6 = 25.\nAnswer = `25`",
        "51 - 20 = 31.\n31 - 6 = 25.\nanswer: 25.",
        "51 - 20 = 31.\n31 - 6 = 25.\nAnswer: The answer is 25.",
        "51 - 20 = 31.\n31 - 6 = 25.\nAnswer: $x = 25$",
        "<solution>\n51 - 20 = 31.\n31 - 6 = 25.\n</solution>\n<answer>25</answer>",
        "1. **51 - 20 = 31**\n   \\[ 31 - 6 = 25 \\]\n\n**Final Answer**: \\( 25 \\)",
    ],
)
def test_all_shapes_become_one(reply: str) -> None:
    assert read_solution(reply) == (WHOLE, "25")


@pytest.mark.parametrize(
    ("reply", "text", "answer"),
    [
        ("51 - 26 = 25. Answer: 25", "51 - 26 = 25.\nAnswer: 25", "25"),
        ("It lies in France.\nAnswer: St. Malo", "It lies in France.\nAnswer: St. Malo", "St. Malo"),
        ("So 3 \\times 4 = \\boxed{12}", "So 3 * 4 = 12.\nAnswer: 12", "12"),
        ("Half of 1.\n\\boxed{\\frac{1}{2}}", "Half of 1.\nAnswer: \\frac{1}{2}", "\\frac{1}{2}"),
        ("It costs \\$5 and 2 ** 3 = 8.\nAnswer: $5", "It costs $5 and 2 ** 3 = 8.\nAnswer: 5", "5"),
        ("-4 - 3 = -7.\nAnswer: -7", "-4 - 3 = -7.\nAnswer: -7", "-7"),
        ("The answer is 24. No.\n51 - 26 = 25.\nAnswer: 25", "The answer is 24. No.\n51 - 26 = 25.\nAnswer: 25", "25"),
        ("The answer is the sum of both. 31 + 26 = 57.", "The answer is the sum of both. 31 + 26 = 57.", None),
        ("31 + 26 = 57", "31 + 26 = 57.", None),
        ("Paris is in France.\nSo the answer is France!", "Paris is in France.\nAnswer: France", "France"),
        ("Answer:", "Answer:", None),
        ('{"steps": [], "answer": ""}', "", None),
        ('{"answer": [1]}', '{"answer": [1]}', None),
        ("", "", None),
    ],
)
def test_what_is_kept(reply: str, text: str, answer: str | None) -> None:
    assert read_solution(reply) == (text, answer)


def test_an_answer_of_several_lines_is_kept_whole() -> None:
    reply = "Turn it:\n\n**Answer:**\n1 2\n3 4\nDone!"
    assert read_solution(reply.replace("**", ""), answer_lines=2).answer == "1 2\n3 4"
    assert read_solution("no grid", answer_lines=2) == ("no grid.", None)


WORDS = st.lists(st.sampled_from(["Take", "Add", "31 + 26 = 57", "the tens", "3 * 4 = 12", "Paris"]), min_size=1)
SENTENCE = WORDS.map(lambda words: " ".join(words) + ".").filter(lambda s: s[0].isupper() or s[0].isdigit())
CLEAN = st.tuples(
    st.lists(SENTENCE, min_size=1, max_size=4), st.sampled_from(["57", "-3", "2.5", "1/2", "France", "B"])
)


@given(CLEAN)
def test_a_clean_text_stays_as_it_is(parts: tuple[list[str], str]) -> None:
    text = "\n".join([*parts[0], f"Answer: {parts[1]}"])
    assert read_solution(text) == (text, parts[1])


MARKS = [
    "Answer:",
    "answer is",
    "The answer is ",
    "####",
    "\\boxed{",
    "}",
    "{",
    '"answer": ',
    "**",
    "# ",
    "\n",
    " ",
    "25",
]
MARKS += [
    "= ",
    ".",
    "<think>",
    "</think>",
    "```",
    "$",
    "- ",
    "1. ",
    "word ",
    "\\frac{",
    "Sure",
    ":",
    "_",
    "(",
    "\\",
    '"',
]
MARKED = st.lists(st.sampled_from(MARKS), max_size=30).map("".join)


@given(st.one_of(st.text(max_size=300), MARKED), st.integers(1, 3))
def test_no_answer_is_made_up(reply: str, answer_lines: int) -> None:
    text, answer = read_solution(reply, answer_lines)
    if answer is None:
        return
    assert text.endswith(f"Answer: {answer}") and answer.strip()

    def bare(said: str) -> str:
        return re.sub(r"[\s*_`$\\{}()\[\]\"]|boxed", "", said)

    if not re.search(r"[\"']", reply):  # JSON may spell a letter otherwise
        assert bare(answer) in bare(reply)


@given(MARKED)
def test_without_a_mark_there_is_no_answer(reply: str) -> None:
    said = re.sub("answer|####|boxed", "", reply, flags=re.IGNORECASE)
    if not re.search("answer|####|boxed", said, flags=re.IGNORECASE):
        assert read_solution(said).answer is None


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=20))
def test_json_of_the_schema_is_read(steps: list[str], answer: str) -> None:
    reply = Solution(steps=steps, answer=answer).model_dump_json()
    assert read_solution(reply).answer == (answer.strip() or None)
    assert read_solution(json.dumps({"answer": 7})).answer == "7"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(MARKS), min_size=1, max_size=4))
def test_hostile_replies_take_little_time(pieces: list[str]) -> None:
    reply = ("".join(pieces) * 20_000)[:20_000]
    began = time.process_time()
    read_solution(reply)
    read_solution(reply, 3)
    assert time.process_time() - began < 2
