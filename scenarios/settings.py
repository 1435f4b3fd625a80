"""What `key=value` may say on the lines `machine`, `file` and `process`.

One literal table for each of these lines: a key, and the function that understands its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import attrs

from ipc.endpoint import BY_NAME
from ipc.errors import NUMBERS
from kernel.limits import Limits
from scenarios import syntax
from scenarios.build import parse_number
from scenarios.constants import is_error
from scenarios.scope import suggestion
from scenarios.source import BadInput
from servers.config import BadConfig, MachineConfig

if TYPE_CHECKING:
    from kernel.injection import When

LARGEST_FILE: Final = 1 << 28  # bytes


@attrs.frozen
class FileContent:
    """A file that exists before the run: its path, and what is in it."""

    path: str
    content: bytes


@attrs.frozen
class ProcessSettings:
    """A further process: a `system` one may use all kernel primitives; `program` runs by itself.

    One with an `endpoint` has a server's place and rights from the start.
    """

    name: str
    system: bool = False
    program: str = ""
    endpoint: int | None = None


def machine_config(
    settings: Iterable[syntax.Setting], base: MachineConfig | None = None
) -> MachineConfig:
    """`base` with what a `machine` line says.  Raises BadInput."""
    values = _understand(settings, MACHINE, "machine")
    limits = {key: values.pop(key) for key in ("steps", "time") if key in values}
    return attrs.evolve(base or MachineConfig(), **values, limits=Limits(**limits))


def file_content(statement: syntax.File) -> FileContent:
    """The file that a `file` line describes.  Raises BadInput."""
    values = _understand(statement.settings, FILE, "file")
    for setting in statement.settings:
        if setting.key == "content" and statement.content is not None:
            raise BadInput("content is given twice", setting.at)
    given = values.get("content", statement.content.value if statement.content else b"")
    size = values.get("size", len(given))
    fill = values.get("fill", b"\0")
    content = given[:size] + (fill * (size // len(fill) + 1))[: max(0, size - len(given))]
    return FileContent(statement.path, content)


def check_server(statement: syntax.Server) -> None:
    """Raises BadInput for a setting of a `server` line, which takes none."""
    _understand(statement.settings, SERVER, "server")


def process_settings(statement: syntax.Process) -> ProcessSettings:
    """The process that a `process` line describes.  Raises BadInput."""
    values = _understand(statement.settings, PROCESS, "process")
    endpoint = values.get("endpoint")
    if endpoint is not None and len(values) > 1:
        raise BadInput("a process with an endpoint takes no other setting", statement.at)
    return ProcessSettings(
        statement.name, values.get("kind", False), values.get("program", ""), endpoint
    )


def fault_settings(statement: syntax.Inject) -> dict[str, Any]:
    """What `error=`, `delay=` and `when=` of an `inject` line say.  Raises BadInput."""
    return _understand(statement.settings, INJECT[statement.what], f"inject {statement.what}")


def _understand(
    settings: Iterable[syntax.Setting], table: dict[str, Understand], line: str
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in settings:
        if setting.key not in table:
            hint = suggestion(setting.key, table) or f"{line} takes {', '.join(table) or 'none'}"
            raise BadInput(f"{line} has no setting {setting.key}", setting.at, hint)
        if setting.key in values:
            raise BadInput(f"{setting.key} is given twice", setting.at)
        values[setting.key] = table[setting.key](setting)
    return values


# ---- Values


def _number(setting: syntax.Setting) -> int:
    return parse_number(setting.value, setting.value_at)


def _file_size(setting: syntax.Setting) -> int:
    size = _number(setting)
    if size > LARGEST_FILE:
        raise BadInput("a file is at most 256M long", setting.value_at)
    return size


def _positive(setting: syntax.Setting) -> int:
    number = _number(setting)
    if not number:
        raise BadInput(f"{setting.key} must be more than 0", setting.value_at)
    return number


def _option(convert: Callable[[syntax.Setting], Any]) -> Understand:
    """A setting that is an option of a machine under the same name."""

    def understand(setting: syntax.Setting) -> Any:
        value = convert(setting)
        try:
            MachineConfig(**{setting.key: value})
        except BadConfig as error:
            raise BadInput(error.reason, setting.value_at) from error
        return value

    return understand


def _text(setting: syntax.Setting) -> str:
    return setting.value


def _one_of(*choices: str) -> Understand:
    def understand(setting: syntax.Setting) -> str:
        if setting.value not in choices:
            raise BadInput(f"{setting.key} is one of {', '.join(choices)}", setting.value_at)
        return setting.value

    return understand


def _bytes(setting: syntax.Setting) -> bytes:
    return setting.data


def _fill(setting: syntax.Setting) -> bytes:
    if not setting.data:
        raise BadInput("fill must not be empty", setting.value_at)
    return setting.data


def _object(setting: syntax.Setting) -> str:
    module, colon, name = setting.value.partition(":")
    if not (colon and module and name):
        raise BadInput("a program is written module:function", setting.value_at)
    return setting.value


def _is_system(setting: syntax.Setting) -> bool:
    kind: str = _one_of("user", "system")(setting)
    return kind == "system"


def _endpoint(setting: syntax.Setting) -> int:
    value = setting.value
    number = BY_NAME[value] if value in BY_NAME else _number(setting)
    try:
        MachineConfig(driven={"process": number})
    except BadConfig as error:
        raise BadInput(error.reason, setting.value_at) from error
    return number


def _error(setting: syntax.Setting) -> int:
    if not is_error(setting.value):
        known = [name for name in NUMBERS if is_error(name)]
        hint = suggestion(setting.value, known) or "errors have names, such as EIO"
        raise BadInput(f"unknown error {setting.value}", setting.value_at, hint)
    return NUMBERS[setting.value]


def _delay(setting: syntax.Setting) -> int:
    if setting.value.startswith("-"):
        raise BadInput("delay must be more than 0", setting.value_at)
    return _positive(setting)


def _when(setting: syntax.Setting) -> When:
    from kernel.injection import When

    try:
        return When.parse(setting.value)
    except ValueError as error:
        raise BadInput(str(error), setting.value_at) from error


Understand = Callable[[syntax.Setting], Any]

MACHINE: Final[dict[str, Understand]] = {
    "memory": _option(_number), "slots": _option(_number), "seed": _option(_number),
    "policy": _option(_text), "quirks": _option(_text), "sanity": _option(_text),
    "costs": _option(_text), "steps": _positive, "time": _positive,
}  # fmt: skip

FILE: Final[dict[str, Understand]] = {"content": _bytes, "size": _file_size, "fill": _fill}

SERVER: Final[dict[str, Understand]] = {}

INJECT: Final[dict[str, dict[str, Understand]]] = {
    "reply": {"error": _error, "delay": _delay, "when": _when},
    "crash": {"when": _when},
    "allocation": {"when": _when},
    "kill": {},
    "nothing": {},
}

PROCESS: Final[dict[str, Understand]] = {
    "kind": _is_system, "program": _object, "endpoint": _endpoint,
}  # fmt: skip
