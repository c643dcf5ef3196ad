"""Where the command line begins and ends: whatever goes wrong is one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import typer

from ..errors import InputError, RunError, one_line
from ..hardware import keep_memory
from .app import INTERRUPTED, app, fail


def main() -> None:
    """Run the command line; what goes wrong is one line on stderr."""
    _quiet()
    _encodable()
    keep_memory()
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except InputError as error:
        fail(str(error), 2)
    except RunError as error:
        fail(f"{error}", 1)
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted", INTERRUPTED)
    except OSError as error:
        fail(f"{error.filename or 'file'}: {error.strerror or error}", 1)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            fail(error.format_message(), 2)
        if os.environ.get("TUTELAGE_DEBUG"):
            raise
        fail(f"unexpected {one_line(error)}; set TUTELAGE_DEBUG=1 to see where, and please report it", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _encodable() -> None:
    """Let what an encoding has no character for, such as a file's name that is not UTF-8, be printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _quiet() -> None:
    """Keep other libraries' chatter off the terminal; what the user set stays."""
    for name, value in {
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ANONYMIZED_TELEMETRY": "False",
        "PYTHONWARNINGS": "ignore",
    }.items():
        os.environ.setdefault(name, value)
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
