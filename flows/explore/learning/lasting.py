"""Work that goes on whatever happens in one step of it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from tasks.core.workspace.errors import InputError
from tasks.versioning.run_git_and_dvc import RepositoryError


def done(step: Callable[[], None]) -> bool:
    """Do a step, and tell whether it came to its end; what went wrong is printed."""
    try:
        step()
    except (InputError, OSError, RepositoryError) as error:  # a mistake in a file, one that is gone
        print(f"explore: {error}", file=sys.stderr, flush=True)
    except Exception:  # a fault of our own: its thread would end without a word to those who wait
        traceback.print_exc()
    else:
        return True
    return False
