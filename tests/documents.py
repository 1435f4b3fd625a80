"""The examples in README.md and docs/: found, run, and compared with what the text shows.

Every ``scn`` block is run as a scenario and must succeed; every ``python`` block is executed, its
`async def main()` in trio and its `test_*` functions too.  Comments before a block say more:

    <!-- save: NAME -->       the block is also saved under that name, for the commands that follow
    <!-- run: ARGUMENTS -->   the block is what `sendrec ARGUMENTS` prints; `(exit N)` after "run",
                              `(lines A-B)` or `(from TEXT to TEXT)` for a part of it
    <!-- prints -->           the block is what the last python block printed
    <!-- pytest -->           the block is a file of tests; pytest runs it
    <!-- fragment -->         the block is not complete; it is not run

`python -m tests.documents` writes what is printed today into the documents.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import trio

ROOT: Final = Path(__file__).parent.parent
PICTURE: Final = ROOT / "docs" / "page-in.svg"
DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_BLOCK: Final = re.compile(
    r"(?P<notes>(?:^<!--[^\n]*-->\n)*)^```(?P<language>[\w-]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NOTE: Final = re.compile(r"<!--\s*(\w+)\s*((?:\([^)]*\)\s*)*)(?::\s*(.*?))?\s*-->")


@attrs.frozen
class Block:
    """One fenced block of a document; `notes` are the comments before it, by their first word."""

    line: int
    language: str
    text: str
    notes: dict[str, tuple[str, str]]
    start: int
    end: int


@attrs.define
class Difference:
    """A block that does not show what happens today."""

    block: Block
    shown: str
    today: str


class ExampleFailed(Exception):
    """An example that must run did not."""


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a document, in order."""
    for match in _BLOCK.finditer(text):
        notes = {
            word: (options, argument or "")
            for word, options, argument in _NOTE.findall(match["notes"])
        }
        line = text.count("\n", 0, match.start("text"))
        start, end = match.span("text")
        yield Block(line, match["language"], match["text"], notes, start, end)


def command(arguments: list[str]) -> tuple[int, str]:
    """Run `sendrec` with `arguments` in this process; its exit status and all that it prints."""
    from sendrec.cli import main

    printed = io.StringIO()
    before, sys.argv = sys.argv, ["sendrec", *arguments]
    path = list(sys.path)  # what lies beside a scenario is found from then on
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            main()
    except SystemExit as end:
        return int(end.code or 0), printed.getvalue()
    finally:
        sys.argv, sys.path[:] = before, path
    raise AssertionError("the command ends by sys.exit")


def execute(source: str, name: str) -> str:
    """Execute a python block; what it printed."""
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": name}
    with contextlib.redirect_stdout(printed):
        exec(compile(source, name, "exec"), names)
        for word, function in list(names.items()):
            if word == "main" or word.startswith("test_"):
                if inspect.iscoroutinefunction(function):
                    trio.run(function)
                else:
                    function()
    return printed.getvalue()


def part_of(text: str, options: str) -> str:
    """The lines that `(lines A-B)` or `(from TEXT to TEXT)` asks for, or all."""
    lines = text.splitlines(keepends=True)
    if wanted := re.search(r"lines (\d+)-(\d+)", options):
        first, last = map(int, wanted.groups())
    elif wanted := re.search(r"from (.*) to (.*?)\)", options):
        first = next(number for number, line in enumerate(lines, 1) if wanted[1] in line)
        rest = enumerate(lines[first - 1 :], first)
        last = next(number for number, line in rest if wanted[2] in line)
    else:
        return text
    return "".join(lines[first - 1 : last])


@contextlib.contextmanager
def workplace() -> Iterator[None]:
    """A new directory to run examples in, from where the project's files can be seen."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as directory:
        for name in ("scenarios", "docs"):
            (Path(directory) / name).symlink_to(ROOT / name)
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


class Reader:
    """Goes through one document and runs its examples."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.printed = ""
        self.differences: list[Difference] = []

    def read(self) -> list[Difference]:
        """Run all examples; where the document shows something else.  Raises ExampleFailed."""
        with workplace():
            for block in blocks_of(self.path.read_text()):
                self._read(block)
        return self.differences

    def _read(self, block: Block) -> None:
        if "save" in block.notes:
            Path(block.notes["save"][1]).write_text(block.text)
        if "fragment" in block.notes:
            return
        if "run" in block.notes:
            self._run(block, *block.notes["run"])
        elif "prints" in block.notes:
            self._compare(block, part_of(self.printed, block.notes["prints"][0]))
        elif block.language == "scn":
            self._run_scenario(block)
        elif "pytest" in block.notes:
            self._run_pytest(block)
        elif block.language == "python":
            self.printed = execute(block.text, f"{self.path.name}:{block.line}")

    def _run(self, block: Block, options: str, arguments: str) -> None:
        status, output = command(shlex.split(arguments))
        expected = re.search(r"exit (\d+)", options)
        if status != (int(expected[1]) if expected else 0):
            raise ExampleFailed(f"{self.path.name}:{block.line}: exit status {status}\n{output}")
        self._compare(block, part_of(output, options))

    def _run_scenario(self, block: Block) -> None:
        Path("example.scn").write_text(block.text)
        status, output = command(["run", "example.scn"])
        if status:
            raise ExampleFailed(f"{self.path.name}:{block.line}: exit status {status}\n{output}")

    def _run_pytest(self, block: Block) -> None:
        Path("test_example.py").write_text(block.text)
        Path("pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if run.returncode:
            raise ExampleFailed(f"{self.path.name}:{block.line}: pytest fails\n{run.stdout}")

    def _compare(self, block: Block, today: str) -> None:
        if block.text != today:
            self.differences.append(Difference(block, block.text, today))


def update(path: Path) -> int:
    """Write today's output into a document; how many blocks changed."""
    differences = Reader(path).read()
    text = path.read_text()
    for difference in reversed(differences):
        block = difference.block
        text = text[: block.start] + difference.today + text[block.end :]
    path.write_text(text)
    return len(differences)


def picture() -> str:
    """The sequence diagram of docs/page-in.scn, as it is today."""
    with workplace():
        status, output = command(["run", "--diagram", "page-in.svg", "docs/page-in.scn"])
        if status:
            raise ExampleFailed(output)
        return Path("page-in.svg").read_text()


if __name__ == "__main__":
    PICTURE.write_text(picture())
    for document in DOCUMENTS:
        try:
            changed = f"{update(document)} blocks changed"
        except ExampleFailed as failure:
            changed = str(failure)
        print(f"{document.relative_to(ROOT)}: {changed}")
