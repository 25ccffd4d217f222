"""All verbs. Nothing heavy is imported before it is known that something has to be done."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from flows.cli import (
    encoding,
    finding,
    judging,
    labelling,
    making,
    reading,
    serving,
    trusting,
    versions,
)
from flows.cli.help import GroupedVerbs
from flows.cli.terminal import cleaned
from flows.runtime.environment import settle_environment
from flows.warm.client import named_root, verb_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exhaustion import exhausted, unwritable
from tasks.core.workspace.paths import Paths
from tasks.signs import sign
from tasks.versioning.run_git_and_dvc import RepositoryError

# Those that a process which is up already may run are listed in `flows.warm.client`, too.
HEADINGS: dict[str, list[click.Command]] = {
    "Start": [making.init, making.ingest, encoding.embed, making.run],
    "Look": [
        *(reading.status, finding.search, finding.similar),
        *(serving.explore, reading.report, reading.export),
    ],
    "Label": [
        *(labelling.label, making.fit, making.materialise),
        *(judging.evaluate, judging.suggest, judging.doubts),
    ],
    "Versions": [versions.versions, versions.diff, versions.checkout, versions.rollback],
    "Leave running": [serving.serve, serving.stop, serving.maintain, trusting.trust],
}
EXITS = (
    "Exit codes: 0 done, or nothing to do; 1 made but not recorded, or a fault of Refract's own;"
    " 2 the input cannot be used, and one line says why; 130 stopped by Ctrl-C."
)


@click.group(
    cls=GroupedVerbs,
    headings=HEADINGS,
    epilog=EXITS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="refract")
@click.option(
    "-C",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Work as if started in DIR; a second one is seen from the first.",
)
def cli(folders: tuple[Path, ...]) -> None:
    """Embed once, see it by any instruction."""
    for folder in folders:
        try:
            os.chdir(folder)
        except OSError as error:
            raise InputError(
                f"-C {folder}: {error.strerror}; expected a folder; check the path"
            ) from error


def _refuse(message: str) -> NoReturn:
    click.echo("refract: " + " ".join(message.split()), err=True)
    sys.exit(2)


def _show(error: click.ClickException) -> None:
    """Say a mistake of usage in one line; a command by itself still shows its help."""
    alone = isinstance(error, click.exceptions.NoArgsIsHelpError)
    if isinstance(error, click.UsageError) and not alone:
        where = error.ctx.command_path if error.ctx else "refract"
        click.echo(f"{where}: {error.format_message()} See '{where} --help'.", err=True)
    else:
        error.show()


def _state() -> Path:
    """Return the nearest folder to where the command keeps its state."""
    root = Path(named_root(sys.argv[1:]))
    state = Paths(root).state
    return state if state.is_dir() else root


def _file_error(error: Exception) -> str:
    where = getattr(error, "filename", None) or "a file"
    said = getattr(error, "strerror", None) or error
    return f"{where}: {said}; check the path and its permissions"


def run_here() -> None:
    """Run the command line in this process; an expected error is one line, and exit code 2."""
    settle_environment()
    with cleaned():
        _say_what_begins()
        _run()


def _say_what_begins() -> None:
    words = sys.argv[1:]
    verb = verb_of(words)
    if verb and not {"-h", "--help"} & set(words):
        sign(f"refract {verb}")


def _run() -> None:
    try:
        cli(prog_name="refract", standalone_mode=False)
    except InputError as error:
        _refuse(exhausted(error) or str(error))
    except BrokenPipeError:
        (sys.__stderr__ or sys.stderr).close()
        sys.exit(141)
    except RepositoryError as error:
        told = exhausted(error) or f"{error}; what was made is whole, repeat it"
        click.echo(f"refract: not recorded: {told}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("refract: stopped; run the same command again to go on", err=True)
        sys.exit(130)
    except Exception as error:
        known = exhausted(error) or unwritable(_state())
        if known is None and not isinstance(error, OSError):
            raise
        _refuse(known or _file_error(error))
