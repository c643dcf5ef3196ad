from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.errors import InputError
from tutelage.tasks.editing.fact import Fact, Hop, Unrelated
from tutelage.tasks.editing.fictional import fictional_facts
from tutelage.tasks.editing.files import NO_ANSWER, SAME_QUESTION, read_facts, write_facts

ZSRE: dict[str, Any] = {
    "subject": "Watts Humphrey",
    "src": "What university did Watts Humphrey attend?",
    "pred": "Trinity College",
    "rephrase": "What university did Watts Humphrey take part in?",
    "alt": "University of Michigan",
    "answers": ["Illinois Institute of Technology"],
    "loc": "nq question: who played desmond doss father in hacksaw ridge",
    "loc_ans": "Hugo Weaving",
    "cond": "Trinity College >> University of Michigan || What university did Watts Humphrey attend?",
}
COUNTERFACT: dict[str, Any] = {
    "case_id": 7,
    "pararel_idx": 2796,
    "requested_rewrite": {
        "prompt": "The mother tongue of {} is",
        "relation_id": "P103",
        "target_new": {"str": "English", "id": "Q1860"},
        "target_true": {"str": "French", "id": "Q150"},
        "subject": "Danielle {Darrieux}",
    },
    "paraphrase_prompts": ["She came home. Danielle Darrieux, a native"],
    "neighborhood_prompts": ["The mother tongue of Leon Blum is", "Montesquieu, a native"],
    "attribute_prompts": ["J. R. R. Tolkien is a native speaker of"],
    "generation_prompts": ["Danielle Darrieux's mother tongue is"],
}
KNOWEDIT: dict[str, Any] = {
    "subject": "Leo Arons",
    "prompt": "What is the place of death of Leo Arons?",
    "target_new": ["Berlin", "Berlin, Germany"],
    "ground_truth": "Vienna",
    "rephrase_prompt": "Where did Leo Arons die?",
    "portability": {
        "Reasoning": [{"prompt": "The country where Leo Arons died is", "ground_truth": [["Germany", "BRD"]]}],
        "Subject_Aliasing": [],
    },
    "locality": {
        "Relation_Specificity": [{"prompt": "The gender of Leo Arons is", "ground_truth": [["male"], ["man"]]}]
    },
}

Write = Callable[[Any], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(value: Any) -> str:
        path = tmp_path / "facts.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return str(path)

    return to_file


def test_zsre(write: Write) -> None:
    (fact,) = read_facts(write([ZSRE])).facts
    assert (fact.subject, fact.answer, fact.old) == (ZSRE["subject"], ZSRE["alt"], ZSRE["answers"][0])
    assert (fact.question, fact.paraphrases) == (ZSRE["src"], (ZSRE["rephrase"],))
    asked = "Who played desmond doss father in hacksaw ridge?"
    assert fact.unrelated == (Unrelated(question=asked, answer="Hugo Weaving"),)
    assert "University of Michigan" in fact.statement


def test_zsre_with_portability_and_entries_without_an_answer(write: Write) -> None:
    told = {"Recalled Relation": "(x, y, z)", "New Question": "In which state is it?", "New Answer": "Michigan"}
    file = read_facts(write([{**ZSRE, "alt": ""}, {**ZSRE, "portability": told}, ZSRE]), "zsre")
    assert file.facts[0].hops == (Hop(question="In which state is it?", answer="Michigan"),)
    assert len(file.facts) == 1 and file.left_out == {NO_ANSWER: 1, SAME_QUESTION: 1}


def test_counterfact(write: Write) -> None:
    (fact,) = read_facts(write([COUNTERFACT])).facts
    assert fact.question == "Complete the sentence: The mother tongue of Danielle {Darrieux} is ..."
    assert (fact.id, fact.relation, fact.answer, fact.old) == ("case-7", "P103", "English", "French")
    assert fact.statement == "The mother tongue of Danielle {Darrieux} is English."
    assert fact.paraphrases == ("Complete the sentence: She came home. Danielle Darrieux, a native ...",)
    assert [one.answer for one in fact.unrelated] == ["French", "French"]


def test_easyedit(write: Write) -> None:
    (fact,) = read_facts(write([KNOWEDIT])).facts
    assert (fact.answer, fact.aliases, fact.old) == ("Berlin", ("Berlin, Germany",), "Vienna")
    assert fact.paraphrases == ("Where did Leo Arons die?",)
    (hop,), (beside,) = fact.hops, fact.unrelated
    assert (hop.question, hop.answer, hop.aliases) == (
        "Complete the sentence: The country where Leo Arons died is ...",
        "Germany",
        ("BRD",),
    )
    assert (beside.answer, beside.aliases) == ("male", ("man",))
    flat = {name: KNOWEDIT[name] for name in ("subject", "prompt", "target_new", "ground_truth")}
    flat |= {"locality_prompt": "who wrote it?", "locality_ground_truth": "Bob"}
    assert read_facts(write([flat])).facts[0].unrelated == (Unrelated(question="Who wrote it?", answer="Bob"),)


@pytest.mark.parametrize("nothing", [[], "", [""], [[" "]], [[]]])
def test_knowedit_has_questions_without_an_answer(write: Write, nothing: Any) -> None:
    """Its published files do; EasyEdit's own scripts pass them over."""
    empty, full = {"prompt": "The child of Leo Arons is", "ground_truth": nothing}, KNOWEDIT["portability"]["Reasoning"]
    entry = {**KNOWEDIT, "portability": {"Reasoning": [empty, *full], "Logical_Generalization": None}, "locality": {}}
    (fact,) = read_facts(write([entry])).facts
    assert [hop.answer for hop in fact.hops] == ["Germany"] and fact.unrelated == ()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    facts = fictional_facts(20)
    write_facts(tmp_path / "facts.jsonl", facts)
    assert read_facts(str(tmp_path / "facts.jsonl")).facts == facts
    assert read_facts(str(tmp_path / "facts.jsonl"), n=5).facts == facts[:5]


def without(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


REWRITE = COUNTERFACT["requested_rewrite"]


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([], "holds no facts"),
        ("[1, 2]", "entry 1: is a int, not an object"),
        ('[{"src": "a"]', "is not valid JSON"),
        ('[{"src": "\\ud800"}]', "is not UTF-8 text"),
        ([{"what": 1}], "entry 1: has none of the fields requested_rewrite, src"),
        ([ZSRE, without(ZSRE, "alt")], "entry 2: no field 'alt'"),
        ([without(ZSRE, "answers")], "entry 1: no field 'answers'"),
        ([{**ZSRE, "subject": " "}], "entry 1: subject: is empty; fill it in"),
        ([{**ZSRE, "answers": []}], "entry 1: answers: is empty; fill it in"),
        ([{**ZSRE, "answers": [{"a": 1}]}], "entry 1: answers: holds a dict, not text"),
        ([{**ZSRE, "loc_ans": None}], "entry 1: loc_ans: holds a NoneType, not text"),
        ([{**ZSRE, "portability": "x"}], "entry 1: portability: is a str, not an object"),
        ([{**COUNTERFACT, "requested_rewrite": []}], "entry 1: requested_rewrite: is a list, not an object"),
        ([{**COUNTERFACT, "requested_rewrite": {**REWRITE, "prompt": "x"}}], "prompt: 'x' has no {} for the subject"),
        ([{**COUNTERFACT, "requested_rewrite": without(REWRITE, "target_true")}], "no field 'target_true'"),
        ([{**COUNTERFACT, "paraphrase_prompts": [None]}], "paraphrase_prompts: holds a NoneType, not text"),
        ([{**KNOWEDIT, "portability": {"Reasoning": [3]}}], "portability: Reasoning: 1: is a int, not an object"),
        ([{**KNOWEDIT, "locality": {"x": [{"prompt": "a"}]}}], "locality: x: 1: no field 'ground_truth'"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(write: Write, entries: Any, where: str) -> None:
    path = write(entries)
    with pytest.raises(InputError) as refused:
        read_facts(path)
    told = str(refused.value)
    assert told.startswith(path) and where in told and "\n" not in told


def test_a_bad_line_of_our_own_format(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    good = Fact(subject="a", question="a?", answer="b", statement="a is b", id="x").model_dump(mode="json")
    for bad, told in [
        (without(good, "subject"), "facts.jsonl:2: subject: is missing in "),
        ({**good, "question": "b?"}, "facts.jsonl:2: id: 'x' is another fact's too"),
        ({**good, "question": "b?", "paraphrases": ["c?", " "]}, r"facts.jsonl:2: paraphrases.1: String should have"),
    ]:
        path.write_text("\n".join(json.dumps(one) for one in (good, bad)))
        with pytest.raises(InputError, match=told):
            read_facts(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        read_facts(str(tmp_path / "none.json"))
    path.write_text(json.dumps(good))
    with pytest.raises(InputError, match="has 1 facts of 5 asked for"):
        read_facts(str(path), n=5)
