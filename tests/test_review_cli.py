"""`tutelage review` and `tutelage resume --accept-rest`: by options and one by one, hostile texts and wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import tutelage
from tutelage.errors import InputError
from tutelage.reviewer import Reviewer
from tutelage.reviews import Proposal, under_review, write_reviews
from tutelage.rundir import RunDir
from tutelage.testing import FakeChecker, FakeTeacher, fake_config

Cli = Callable[..., tuple[int, str, str]]
HOSTILE = "\x1b[31mred\x1b[0m [bold]x[/bold] [/nope] " + "y" * 4000 + " "


@pytest.fixture
def rundir(tmp_path: Path, tutelage_cli: Cli) -> RunDir:
    config = tmp_path / "config.yaml"
    names = [{"name": "tutelage.testing:FakeTeacher", "options": {"name": n, "preface": f"{n}: "}} for n in "xy"]
    config.write_text(yaml.safe_dump(fake_config(teachers=names, plan={"lessons": 6}, stop={"cycles": 1})))
    path = tmp_path / "run"
    code, out, err = tutelage_cli("run", config, "--set", "review=true", "--run-dir", path)
    assert code == 0, err
    assert "waiting for review: 6 of 6 lessons of cycle 1 are not reviewed" in out
    assert f"tutelage review {path}" in out.splitlines()[-1]
    return RunDir(path)


def proposals(rundir: RunDir) -> list[Proposal]:
    found = under_review(rundir)
    assert found
    return list(found.proposals)


def right(proposal: Proposal) -> str:
    question = proposal.lesson.question.removeprefix("What is ").removesuffix("?")
    return f"I add: {question} = {proposal.lesson.answer}. Answer: {proposal.lesson.answer}"


def document(out: str) -> dict[str, Any]:
    (line,) = out.splitlines()
    return dict(json.loads(line))


def verdicts(rundir: RunDir) -> list[str | None]:
    return [one.review and one.review.verdict.value for one in proposals(rundir)]


def test_by_options_from_the_list_to_the_end(rundir: RunDir, tmp_path: Path, tutelage_cli: Cli) -> None:
    code, out, _ = tutelage_cli("review", rundir.path, "--list", "--json")
    listed = document(out)
    assert (code, listed["cycle"], listed["left"], len(listed["lessons"])) == (0, 1, 6, 6)
    first, second, third = listed["lessons"][:3]
    assert set(first) == {
        "id", "problem_id", "rationale_id", "question", "answer", "wrong", "origin", "text", "weight", "alternatives",
        "review",
    }  # fmt: skip
    text = tmp_path / "mine.txt"
    text.write_text(right(proposals(rundir)[0]))
    edit = ("--edit", first["id"][:8], "--text-file", text)
    code, out, err = tutelage_cli("review", rundir.path, *edit, "--author", "ann")
    assert code == 0, err
    assert out == f"5 of 6 lessons of cycle 1 are left; go on: tutelage review {rundir.path}\n"
    by = third["alternatives"][0]["id"]
    swap = ("--replace", third["problem_id"], "--by", by, "--why", "clearer")
    assert tutelage_cli("review", rundir.path, *swap, "--author", "ann")[0] == 0
    reject = ("--reject", second["id"], "--why", "no", "--accept", "all")
    code, out, _ = tutelage_cli("review", rundir.path, *reject, "--author", "bob", "--json")
    assert document(out)["left"] == 0
    assert verdicts(rundir) == ["edited", "rejected", "replaced", "accepted", "accepted", "accepted"]
    assert {one.author for one in rundir.reviews(1)} == {"ann", "bob"}
    code, out, _ = tutelage_cli("show", rundir.path)
    assert "0 of 6 lessons of cycle 1 are not reviewed" in out and "`tutelage resume`" in out
    code, out, _ = tutelage_cli("resume", rundir.path, "--json")
    ran = document(out)
    assert (code, ran["status"]) == (0, "finished")
    assert ran["cycles"][1]["lessons"]["by_hand"] == {"accepted": 3, "edited": 1, "rejected": 1, "replaced": 1}
    code, out, _ = tutelage_cli("trace", rundir.path, "--problem", first["problem_id"])
    assert "review       ann  edited" in out and "after: 'I add" in out
    code, _, err = tutelage_cli("review", rundir.path, "--list")
    assert code == 2 and "the run is finished" in err


def test_resume_with_lessons_left_stops_again(rundir: RunDir, tutelage_cli: Cli) -> None:
    code, out, _ = tutelage_cli("resume", rundir.path)
    assert code == 0 and "6 of 6 lessons of cycle 1 are not reviewed" in out
    code, out, _ = tutelage_cli("resume", rundir.path, "--accept-rest", "--author", "ann", "--json")
    assert (code, document(out)["status"]) == (0, "finished")
    assert [one.author for one in rundir.reviews(1)] == ["ann"] * 6


WRONG_ANSWER = "Because so it is. 1 + 1 = 2. Answer: 2"


def test_a_wrong_text_is_refused_unless_anyway(rundir: RunDir, tmp_path: Path, tutelage_cli: Cli) -> None:
    lesson, text = proposals(rundir)[0], tmp_path / "mine.txt"
    step = right(lesson).replace("I add", "1 + 1 = 3, and")
    for wrong, why in ((WRONG_ANSWER, "wrong answer: it ends on '2'"), (step, "wrong step: it says '3'")):
        text.write_text(wrong)
        edit = ("review", rundir.path, "--edit", lesson.id, "--text-file", text, "--author", "ann")
        code, out, err = tutelage_cli(*edit)
        assert (code, out, len(err.splitlines())) == (2, "", 1) and why in err and "--anyway" in err
        assert not rundir.reviews(1)
    assert tutelage_cli(*edit, "--anyway")[0] == 0
    (review,) = rundir.reviews(1)
    assert review.objection and review.objection.startswith("wrong step") and review.after == step
    tutelage_cli("resume", rundir.path, "--accept-rest", "--author", "bob")
    (taught,) = rundir.lessons(1, lesson.lesson.problem_id)
    own = next(one for one in rundir.rationales(1) if one.id == taught.rationale_id)
    assert (taught.text, own.verified, own.rejected) == (step, False, "wrong step")
    assert tutelage.Result(rundir.path).reports[1].lessons.rejected == {}
    assert "taught all the same: wrong step" in tutelage_cli("trace", rundir.path, "--problem", taught.problem_id)[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--accept", "nope"], "--accept nope: no such lesson"),
        (["--accept", ""], "--accept : means 6 lessons"),
        (["--reject", "ID"], "--reject: needs --why"),
        (["--reject", "ID", "--why", " "], "say why"),
        (["--accept", "ID", "--why", "x"], "--why: belongs to"),
        (["--accept", "ID", "--reject", "ID", "--why", "x"], "two things are wished"),
        (["--edit", "ID"], "--edit: needs --text-file"),
        (["--text-file", "x"], "--text-file: belongs to --edit"),
        (["--edit", "ID", "--text-file", "/nowhere"], "--text-file /nowhere: No such file"),
        (["--edit", "ID", "--text-file", "LATIN"], "is not UTF-8"),
        (["--edit", "ID", "--text-file", "EMPTY"], "the text is empty"),
        (["--edit", "ID", "--text-file", "SAME"], "is the one that was proposed"),
        (["--anyway", "--accept", "all"], "--anyway: belongs to --edit"),
        (["--replace", "ID", "--by", "ID"], "is no one rationale"),
        (["--accept", "all", "--author", "a\nb"], "--author: must be a name"),
        (["--accept", "all", "--author", ""], "--author: must be a name"),
        (["--accept", "all", "--author", "\udce9"], "--author: holds what is no text"),
        (["--accept", "all", "--reject", "nope", "--why", "x"], "no such lesson"),
        ([], "needs a terminal"),
    ],
)
def test_wrong_input_writes_nothing(
    rundir: RunDir, tmp_path: Path, tutelage_cli: Cli, options: list[str], told: str
) -> None:
    one = proposals(rundir)[0]
    files = {"LATIN": b"caf\xe9", "EMPTY": b" \n", "SAME": one.lesson.text.encode()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    given = [one.id if word == "ID" else str(tmp_path / word) if word in files else word for word in options]
    code, out, err = tutelage_cli("review", rundir.path, *given)
    assert (code, out, len(err.splitlines())) == (2, "", 1), err
    assert told in err
    assert not rundir.reviews(1)


def test_a_run_that_waits_for_nobody_says_so(tmp_path: Path, tutelage_cli: Cli) -> None:
    code, _, err = tutelage_cli("review", tmp_path)
    assert code == 2 and "no run directory" in err
    path = tutelage.run(fake_config(stop={"cycles": 1}), run_dir=tmp_path / "run").path
    code, _, err = tutelage_cli("review", path, "--accept", "all")
    assert code == 2 and "no lessons wait" in err
    code, _, err = tutelage_cli("resume", path, "--author", "ann")
    assert code == 2 and "belongs to --accept-rest" in err


def test_a_run_under_way_is_left_alone(rundir: RunDir, tutelage_cli: Cli) -> None:
    rundir.lock()
    try:
        code, _, err = tutelage_cli("review", rundir.path, "--accept", "all", "--author", "ann")
    finally:
        rundir.unlock()
    assert code == 1 and "another process is running here" in err and not rundir.reviews(1)


def test_doctor_says_that_a_person_is_waited_for(tmp_path: Path, tutelage_cli: Cli) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(fake_config()))
    assert "waits for a person" not in tutelage_cli("doctor", config)[1]
    assert "waits for a person" in tutelage_cli("doctor", config, "--set", "review=true")[1]


def answers(
    monkeypatch: pytest.MonkeyPatch, *given: str, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[str]:
    """Let a person type, who then presses Ctrl-D; something else may happen before each answer."""
    left = iter(given)

    def type_(_: str = "") -> str:
        meanwhile()
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", type_)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    return left


def test_one_by_one(rundir: RunDir, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = proposals(rundir)[1]
    written = iter([None, WRONG_ANSWER, right(edited) + "\n"])
    monkeypatch.setattr(click, "edit", lambda text: next(written))
    answers(monkeypatch, "x", "a", "e", "e", "e", "r", "", "r", "too short", "t", "1", "s")
    code, out, err = tutelage_cli("review", rundir.path, "--author", "ann")
    assert code == 0, err
    assert verdicts(rundir) == ["accepted", "edited", "rejected", "replaced", None, None]
    assert "nothing was changed" in out and "the check turns it away: wrong answer" in out
    assert "4 reviewed as ann" in out and "2 of 6 lessons of cycle 1 are left" in out
    edit = rundir.reviews(1)[1]
    assert (edit.after, edit.objection) == (right(edited), None)
    for shown in (edited.lesson.question, edited.lesson.answer, edited.lesson.wrong, edited.lesson.text, "over [1]"):
        assert shown in out
    answers(monkeypatch, "q")
    code, out, _ = tutelage_cli("review", rundir.path, "--author", "ann")
    assert code == 0 and "1 of 2  lesson" in out and "0 reviewed" in out


def test_a_wrong_text_can_be_insisted_on(rundir: RunDir, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click, "edit", lambda text: WRONG_ANSWER)
    answers(monkeypatch, "e", "b", "e", "a")
    tutelage_cli("review", rundir.path, "--author", "ann")
    (review,) = rundir.reviews(1)
    assert (review.after, review.objection) == (WRONG_ANSWER, "wrong answer: it ends on '2'")


def test_what_was_typed_is_not_lost_by_leaving_the_editor(
    rundir: RunDir, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    left = iter([click.ClickException("vo: command not found"), WRONG_ANSWER, None, None, None])

    def edit(text: str) -> str | None:
        opened.append(text)
        if isinstance(found := next(left), Exception):
            raise found
        return found

    monkeypatch.setattr(click, "edit", edit)
    answers(monkeypatch, "e", "e", "e", "b", "e", "a")
    tutelage_cli("review", rundir.path, "--author", "ann")
    assert opened[2:] == [WRONG_ANSWER] * 2  # offered again, also after going back
    assert rundir.reviews(1)[0].after == WRONG_ANSWER


def test_what_another_decides_meanwhile_is_not_overridden_unseen(
    rundir: RunDir, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = proposals(rundir)[1]

    def decide() -> None:
        if verdicts(rundir)[1] is None:
            write_reviews(RunDir(rundir.path), 1, [Reviewer("ann").reject(second, "skips the carry")])

    answers(monkeypatch, "a", "a", meanwhile=decide)
    _, out, _ = tutelage_cli("review", rundir.path, "--author", "bob")
    assert verdicts(rundir)[:4] == ["accepted", "rejected", "accepted", None]
    assert f"{second.id}: rejected by ann meanwhile" in out
    with pytest.raises(InputError, match="ann has decided on this lesson meanwhile"):
        write_reviews(rundir, 1, [Reviewer("bob").accept(second)], first=True)


def test_hostile_texts_stay_text(tmp_path: Path, tutelage_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = FakeTeacher(preface=HOSTILE)
    path = tmp_path / "run"
    values = fake_config(review=True, plan={"lessons": 6}, student={**fake_config()["student"]})
    tutelage.run(values, teachers=[teacher], run_dir=path)
    rundir = RunDir(path)
    one = proposals(rundir)[0]
    assert one.lesson.text.startswith(HOSTILE[:20])
    answers(monkeypatch, "r", HOSTILE, "a")
    code, out, _ = tutelage_cli("review", path, "--author", "[bold]ann[/bold]")
    assert code == 0 and "\x1b" not in out and "[bold]x[/bold] [/nope]" in out and "y" * 4000 in out
    code, out, _ = tutelage_cli("review", path, "--list")
    assert code == 0 and "\x1b" not in out and "rejected by [bold]ann[/bold]" in out and "more characters)" in out
    out = tutelage_cli("trace", path, "--problem", one.lesson.problem_id)[1]
    assert "\x1b" not in out and "[/nope]" in out


def test_with_a_checker_from_python_a_text_is_taken_unchecked_only_anyway(tmp_path: Path, tutelage_cli: Cli) -> None:
    path, text = tmp_path / "run", tmp_path / "mine.txt"
    tutelage.run(fake_config(review=True), checker=FakeChecker(), run_dir=path)
    rundir = RunDir(path)
    one = proposals(rundir)[0]
    text.write_text(right(one))
    edit = ("review", path, "--edit", one.id, "--text-file", text, "--author", "ann")
    code, _, err = tutelage_cli(*edit)
    assert code == 2 and "its own checker from Python" in err
    assert tutelage_cli(*edit, "--anyway")[0] == 0
    assert str(rundir.reviews(1)[0].objection).startswith("not checked")
