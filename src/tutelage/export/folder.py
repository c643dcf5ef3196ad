"""The folder that an export is written to: it appears whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError


def require_new(folder: Path) -> None:
    """Require that nothing would be overwritten.

    Raises:
        InputError: If the folder exists and holds something, or is a file, or lies in one.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{folder}: exists already; give a folder that does not, or remove it")
    require_place(folder)


def require_place(path: Path) -> None:
    """Require that the folders around a path are there, or can be made.

    Raises:
        InputError: If one of them is a file.
    """
    around = next(one for one in path.absolute().parents if one.exists() or one.is_symlink())
    if not around.is_dir():
        raise InputError(f"{path}: {around} is no folder; give another place")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the wanted one to write to, and rename it at the end; after an error nothing is left.

    Raises:
        InputError: If the folder exists and holds something, or is a file, or lies in one.
    """
    require_new(folder)
    folder = folder.absolute()  # `.` has no name
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield made
        made.chmod(0o755)  # mkdtemp makes it the user's alone
        made.replace(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
