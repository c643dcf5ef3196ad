"""What the documentation says is what the code does: generated pages are current, and every command in them runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from tutelage import plugindoc
from tutelage.cli import app
from tutelage.configdoc import markdown
from tutelage.configfile import parse_config
from tutelage.graphs.draw import mermaid

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_configuration_page_is_current() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == markdown()


def test_the_page_of_options_is_current_and_leaves_none_unexplained() -> None:
    page = (ROOT / "docs" / "options.md").read_text()
    assert page == plugindoc.markdown()
    assert not re.search(r"\|\s*\|$", page, re.MULTILINE)


def test_the_configuration_in_the_readme_is_one() -> None:
    block = (ROOT / "README.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert [teacher.name for teacher in parse_config(yaml.safe_load(block)).teachers] == ["chat"]


def test_the_drawing_of_the_graph_is_current() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = page.split("<!-- graphs -->\n")[1].split("<!-- /graphs -->")[0]
    assert drawn.strip() == mermaid().strip()


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for line in page.read_text().splitlines():
            inline = re.findall(r"`([^`]+)`", line)
            for part in inline or line.split("#")[0].split("    "):
                match = re.match(r"(?:\.venv/bin/)?(tutelage [a-z].*|make [a-z-]+.*)$", part.strip())
                if match:
                    found.append((page.name, match[1]))
    return found


@pytest.mark.parametrize(("page", "command"), commands())
def test_every_command_in_the_docs_exists(page: str, command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
        return
    verb, rest = get_command(app), words[1:]
    while hasattr(verb, "commands") and rest:
        assert rest[0] in verb.commands, command
        verb, rest = verb.commands[rest[0]], rest[1:]
    known = {option for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.strip("[]") for word in rest if word.strip("[]").startswith("--")}
    assert used <= known, command


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
