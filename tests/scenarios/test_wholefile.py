"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from scenarios.wholefile import NEW_FILE, write_whole


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "new"
    write_whole(path, b"data")
    assert path.read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == NEW_FILE
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_mode_and_a_link_its_file(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()


def test_what_cannot_be_written_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def refuse(_draft: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_that_has_no_name_of_its_own_is_written_to() -> None:
    if not Path("/dev/fd").is_dir():
        pytest.skip("there are no such names")
    reader, writer = os.pipe()
    write_whole(Path(f"/dev/fd/{writer}"), b"data")
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"data"


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    device = Path("/dev/null")
    if not device.is_char_device():
        pytest.skip("there is no such device")
    write_whole(device, b"data")
    assert device.is_char_device()
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "no" / "where", b"data")
