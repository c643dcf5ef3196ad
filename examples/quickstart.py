"""Run the whole loop from Python and look at what happened.

python examples/quickstart.py
"""

import tempfile
from pathlib import Path

import tutelage

if __name__ == "__main__":
    config = Path(__file__).with_name("tiny.yaml")
    result = tutelage.run(config, run_dir=Path(tempfile.mkdtemp()) / "quickstart")

    for report in result.reports:
        print(report.cycle, report.verdict, {str(split): round(share, 2) for split, share in report.accuracy.items()})

    print("test:", result.summary["test"])
    print("best student:", result.student_path)

    taught = next(
        event for event in result.trace(result.lessons(1)[0].problem_id)["events"] if event["kind"] == "lesson"
    )
    print("a lesson:", taught["text"])
