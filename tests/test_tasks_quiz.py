import re
from collections import Counter

import pytest

from tutelage.answers import contains
from tutelage.errors import InputError
from tutelage.schema import Problem, Split
from tutelage.seams import Task
from tutelage.tasks.quiz import QuizTask
from tutelage.tasks.splits import check_splits

QUESTIONS = QuizTask().splits()[Split.RETENTION]


def test_the_quiz_is_a_task_with_enough_of_many_kinds():
    task = QuizTask()
    assert isinstance(task, Task) and task.instruction is None
    check_splits(task, required=[Split.RETENTION])
    kinds = Counter(problem.skills[0] for problem in QUESTIONS)
    assert 320 <= len(QUESTIONS) <= 450 and len(kinds) >= 15 and max(kinds.values()) < len(QUESTIONS) / 5


def test_no_question_gives_its_answer_away():
    for problem in QUESTIONS:
        answers = [problem.answer, *problem.metadata["aliases"]]
        assert len({answer.casefold() for answer in answers}) == len(answers), problem.question
        for answer in answers:
            assert answer.strip() == answer and re.search(r"\w", answer), problem.question
            assert answer.casefold() not in {"yes", "no", "a", "i", "the", "is"}, problem.question
            assert not contains(problem.question, answer), problem.question


def test_replay_shares_nothing_with_the_quiz():
    prompts = QuizTask().rehearsal()
    assert len(prompts) >= 60 and len(set(prompts)) == len(prompts)
    assert not {prompt.casefold() for prompt in prompts} & {problem.question.casefold() for problem in QUESTIONS}


def test_grading_reads_whole_words_of_the_opening():
    task = QuizTask()
    problem = Problem(question="q", answer="autumn", metadata={"aliases": ["fall"]})
    assert task.grade(problem, "It is the FALL, I think.") == ("fall", 1.0)
    assert task.grade(problem, "Falling leaves in autumnal woods") == (None, 0.0)
    assert task.grade(problem, "well " * 24 + "autumn").score == 0
    assert task.grade(problem, "well " * 23 + "autumn").score == 1


def test_sizes():
    few = QuizTask({Split.RETENTION: 40}).splits()[Split.RETENTION]
    assert few == QUESTIONS[:40] and len({problem.skills for problem in few}) > 8
    with pytest.raises(InputError, match="'retention' alone"):
        QuizTask({Split.TEST: 5})
    with pytest.raises(InputError, match="not between 1 and"):
        QuizTask({Split.RETENTION: 5000})
