"""Writing a file whole or not at all, so that a full disk or an interruption loses nothing."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

NEW_FILE: Final = 0o644  # the mode of a file that was not there before


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` into the file `path`, of which a reader sees the old content or the new.

    A file that is there keeps its mode; a link still leads to it.  A device or a pipe is written to
    as it is.  Raises OSError, and then the file is as it was.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | NEW_FILE
    if not stat.S_ISREG(mode):
        path.write_bytes(data)  # by its own name: that of a pipe leads nowhere
        return
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        draft.chmod(stat.S_IMODE(mode))
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
