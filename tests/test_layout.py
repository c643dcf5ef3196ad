"""The folders are the architecture: what pyproject lists is what lies on disk, and the links point to it."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("agents", "graphs", "memory", "training")


def packages_on_disk() -> set[str]:
    found = {"tutelage"}
    for folder in (ROOT / "src" / "tutelage").iterdir():
        if folder.is_dir() and not folder.is_symlink():
            inits = folder.rglob("__init__.py")
            found |= {".".join(init.parent.relative_to(ROOT / "src").parts) for init in inits}
    for room in ROOMS:
        for init in (ROOT / room).rglob("__init__.py"):
            found.add("tutelage." + ".".join(init.parent.relative_to(ROOT).parts))
    return found


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert set(settings["packages"]) == packages_on_disk()


def test_the_rooms_are_linked_into_the_package() -> None:
    for room in ROOMS:
        link = ROOT / "src" / "tutelage" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_the_data_files_are_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    source = ROOT / "src"
    packaged = {
        file
        for package, patterns in settings["package-data"].items()
        for pattern in patterns
        for file in source.joinpath(*package.split(".")).glob(pattern)
    }
    listed = subprocess.check_output(["git", "ls-files", "src"], cwd=ROOT, text=True).splitlines()
    data = {ROOT / name for name in listed if (ROOT / name).is_file() and not name.endswith(".py")}
    assert packaged == data and len(data) >= 4
