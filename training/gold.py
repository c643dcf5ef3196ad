"""On-policy distillation where the tokenizers differ: TRL's GOLD, with each side asked in its own chat template.

TRL 1.16 aligns the two tokenizations by bytes and compares what both know by divergence, the rest by sorted
probabilities (the GOLD report, Patino et al. 2025). It shows the teacher the student's rendered prompt as plain text,
though, special tokens and all, and the student's end of turn inside the answer; here the teacher reads its own
template, and its own end of turn stands for the student's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError, RunError
from .checks import IGNORED
from .white_box import WhiteBox

OPTIONS: dict[str, Any] = {
    "lmbda": 1.0,  # the student's own answers only
    "top_p": 1.0,
    "max_length": None,  # would cut the prompt from the left
    "use_uld_loss": True,
    "use_extended_uld": True,
    "uld_use_hybrid_loss": True,
    "uld_token_merge_strategy": "bayesian",  # the other compares each token with what is predicted after it
    "uld_skip_student_eos": False,  # when to stop is to be learnt, too
    "uld_skip_teacher_eos": False,
}
"""What the stage decides of TRL's arguments."""


def require_bytes(tokenizers: Mapping[str, Any]) -> None:
    """Require that tokens can be aligned by bytes, which TRL can do for byte-level tokenizers.

    Args:
        tokenizers: By whose they are.

    Raises:
        InputError: Naming the one that is not byte-level.
    """
    for whose, tokenizer in tokenizers.items():
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if "ByteLevel" not in f"{getattr(backend, 'pre_tokenizer', '')!r}{getattr(backend, 'decoder', '')!r}":
            raise InputError(
                f"stages: distill: tokenizers: gold aligns byte-level tokenizers, and the {whose}'s is none; "
                "take a teacher with the student's own tokenizer"
            )


def teacher_prompts(prompts: Sequence[list[dict[str, str]]], student: Any, teacher: Any) -> dict[str, str]:
    """Return what the teacher is asked, rendered, by what the student is asked, rendered.

    Args:
        prompts: Messages.
        student: Its tokenizer.
        teacher: Its tokenizer.

    Raises:
        InputError: If the teacher's chat template does not take them.
    """
    from jinja2 import TemplateError

    try:
        asked = [teacher.apply_chat_template(one, tokenize=False, add_generation_prompt=True) for one in prompts]
    except TemplateError as error:
        raise InputError(f"stages: distill: teacher: its chat template does not take the questions: {error}") from error
    rendered = [student.apply_chat_template(one, tokenize=False, add_generation_prompt=True) for one in prompts]
    return {_read(student, one): _once_begun(teacher, other) for one, other in zip(rendered, asked, strict=True)}


def _read(tokenizer: Any, text: str) -> str:
    """Return a text as it is read: what the tokenizer makes of it, said again."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _once_begun(tokenizer: Any, text: str) -> str:
    """Return a rendered prompt without the token at its beginning that the tokenizer adds anyway."""
    begin = tokenizer.bos_token_id
    twice = begin is not None and tokenizer(text)["input_ids"][:2] == [begin, begin]
    return text.removeprefix(str(tokenizer.bos_token)) if twice else text


def asking(prompts: Mapping[str, str], end: str) -> Any:
    """Return what makes a subclass of TRL's GOLDTrainer that asks the teacher in the teacher's way.

    Args:
        prompts: What the teacher is asked by what the student is asked, both rendered.
        end: The student's end of turn.
    """

    def wrap(trainer_class: Any) -> Any:
        class AskedApart(trainer_class):  # type: ignore[misc]
            supervised_tokens = 0
            """Of the student's answers so far, on this process."""
            loss_is_scaled_for_ga = False
            """It is a mean over one batch; TRL 1.16 leaves it undivided where a step adds up several."""

            def compute_loss(self, model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
                self.supervised_tokens += int((inputs["labels"] != IGNORED).sum())
                answers = [text.removesuffix(end) for text in inputs["original_completion_text"]]
                asked = [_asked(prompts, text) for text in inputs["original_prompt_text"]]
                told = {**inputs, "original_prompt_text": asked, "original_completion_text": answers}
                return super().compute_loss(model, told, *given, **named)

        return AskedApart

    return wrap


def _asked(prompts: Mapping[str, str], text: str) -> str:
    if text not in prompts:
        raise RunError(f"distill: a question is read otherwise once an answer follows: {text[-60:]!r}; mend its end")
    return prompts[text]


def settle(trainer: Any, teacher: WhiteBox) -> None:
    """Let the student's answers end where its turn does, and the teacher's at its own end of turn.

    Args:
        trainer: A GOLDTrainer before training.
        teacher: Whose tokenizer TRL has loaded once more, with the end that it was saved with.
    """
    end = trainer.processing_class.eos_token_id
    known = trainer.generation_config.eos_token_id
    others = known if isinstance(known, list) else [] if known is None else [known]
    trainer.generation_config.eos_token_id = [end, *(one for one in others if one != end)]
    trainer.teacher_tokenizer = teacher.tokenizer
