"""A teacher that is not built in: it shows the addition or subtraction on a number line.

python examples/custom_teacher.py
"""

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
        return f"From {left} go {right} to the {way}: {left} {op} {right} = {answer}. Answer: {answer}"


if __name__ == "__main__":
    config = load_config(Path(__file__).with_name("tiny.yaml"), ["stop.cycles=1"])
    result = tutelage.run(config, teachers=[NumberLine()], run_dir=Path(tempfile.mkdtemp()) / "custom")
    print("lessons by origin:", {lesson.origin for lesson in result.lessons(1)})
    print("test:", result.summary["test"])
