"""A teacher that is not built in: it shows the addition or subtraction on a number line. Run it with Python."""

import tempfile
from pathlib import Path

import tutelage
from tutelage.configfile import load_config


class NumberLine:
    """One method and a name make a teacher; `async def teach` works too."""

    name = "number line"

    def teach(self, request: tutelage.TeachingRequest) -> str:
        """Return the worked solution; the loop checks its steps and its answer."""
        left, op, right = request.problem.question.removesuffix(" =").split()[-3:]
        way, answer = "right" if op == "+" else "left", request.problem.answer
        return f"Go {way}: {left} {op} {right} = {answer}. Answer: {answer}"


if __name__ == "__main__":
    overrides = ["stop.cycles=1", "training.stages.0.options.max_steps=120"]
    config = load_config(Path(__file__).with_name("tiny.yaml"), overrides)
    result = tutelage.run(config, teachers=[NumberLine()], run_dir=Path(tempfile.mkdtemp()) / "custom")
    print("lessons by origin:", {lesson.origin for lesson in result.lessons(1)})
    print("test:", result.summary["test"])
