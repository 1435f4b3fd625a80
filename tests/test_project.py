"""The project as a whole: who imports whom, what is shipped, and that it is of no one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("ipc", "kernel", "servers", "tracing", "scenarios", "sendrec")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TEXT_SUFFIXES = {".py", ".md", ".toml", ".scn", ".lark", ".svg", ".txt", ""}
GENERATED = re.compile(
    r"^(\.git|\.venv|build|dist|\w*\.egg-info|htmlcov|docs/_build|\..*_cache|\.hypothesis)(/|$)"
)

# What a room may not load when it is imported, because a run without it must start fast.
HEAVY = ("click", "hypothesis", "lark", "pytest", "rich", "simpy", "structlog")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_files() -> list[Path]:
    """Every text file of the project, without what tools have written beside it."""
    found = []
    for path in sorted(ROOT.rglob("*")):
        name = name_of(path)
        if GENERATED.match(name) or "__pycache__" in name or not path.is_file():
            continue
        if path.suffix in TEXT_SUFFIXES:
            found.append(path)
    return found


def requirements() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [*PROJECT["project"]["dependencies"], *(one for extra in extras for one in extra)]


def test_the_import_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    from importlinter import cli

    sys.path.insert(0, str(ROOT))
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_the_contracts_name_every_room_and_every_server() -> None:
    contracts = {one["id"]: one for one in PROJECT["tool"]["importlinter"]["contracts"]}
    assert sorted(contracts["rooms"]["layers"]) == sorted(ROOMS)
    servers = {f"servers.{path.parent.name}" for path in (ROOT / "servers").glob("*/__init__.py")}
    assert set(contracts["servers"]["modules"]) == servers - {"servers.lib"}


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_is_light(room: str) -> None:
    code = f"import sys, {room}; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for_and_is_short(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no docstring"
    assert text.count("\n") <= 500
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno <= 50, f"{node.name} is too long"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_packages_all_the_way_down(room: str) -> None:
    for path in (ROOT / room).rglob("*"):
        if path.suffix in {".py", ".lark"}:
            assert (path.parent / "__init__.py").exists(), name_of(path)


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of
)
def test_an_init_names_what_its_room_offers_and_does_nothing_else(path: Path) -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.If)
    for node in ast.parse(path.read_text()).body:
        assignment = isinstance(node, ast.Assign | ast.AnnAssign)
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        assert assignment or docstring or isinstance(node, allowed), ast.unparse(node)


def test_every_requirement_has_both_bounds() -> None:
    for requirement in requirements():
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+", requirement), requirement


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_tells_type_checkers_that_it_has_types(room: str) -> None:
    assert (ROOT / room / "py.typed").exists()


def test_every_data_file_of_a_room_is_shipped() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix != ".py" and path.parent.name != "__pycache__":
                assert any(path.match(pattern) for pattern in patterns), name_of(path)


def test_no_line_is_of_one_machine() -> None:
    places = {str(ROOT), str(Path.home()), str(Path(sys.prefix).parent), "/work", "/root"}
    named = re.compile(
        r"(?<![\w.])(" + "|".join(re.escape(place) for place in places if len(place) > 1) + r")/"
    )
    own = Path(__file__)
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in text_files()
        if path != own and (match := named.search(path.read_text()))
    ]
    assert not found


def test_the_command_and_the_plugin_exist() -> None:
    from importlib import import_module

    command = PROJECT["project"]["scripts"]["sendrec"]
    module, function = command.split(":")
    assert callable(getattr(import_module(module), function))
    assert import_module(PROJECT["project"]["entry-points"]["pytest11"]["sendrec"])


@pytest.mark.parametrize("target", ["demo", "test", "bench", "docs", "lint", "campaign", "seeds"])
def test_the_makefile_explains_its_targets(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert re.search(rf"^#   make .*\b{target}\b", makefile, re.MULTILINE)
