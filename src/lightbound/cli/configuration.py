"""Settings of a role: a flag, else LIGHTBOUND_<ROLE>_<KEY>, else the settings file, else the default.

The file is TOML with the long names of the options as keys, dashes as underscores: `listen = ["127.0.0.1:8471"]`. It is
the one given with --config, or /etc/lightbound/<role>.toml where there is one. The order is click's own: what the file
says becomes the default of an option, and the environment comes before defaults.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer
from typer.core import TyperOption

from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable

FOLDER: Final = Path("/etc/lightbound")

MOST_BYTES: Final = 1_000_000


def context_settings(role: str) -> dict[str, Any]:
    """What a command of this role is registered with, so that the environment and the settings file are looked at."""
    return {"auto_envvar_prefix": f"LIGHTBOUND_{role.upper()}", "obj": role}


def read_settings(context: typer.Context, path: Path | None) -> Path | None:
    """Let a settings file say what the options are, where neither flag nor environment does.

    Raises:
        Malformed: the file holds no TOML, or a key that is no option, or a value of another kind.
        Unavailable: it cannot be read.
    """
    from lightbound.files.toml import kind_of

    role = str(context.find_object(str) or "")
    implied = FOLDER / f"{role}.toml"
    file = path if path is not None else implied if implied.is_file() else None
    if file is None or context.resilient_parsing:
        return path
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise Malformed(_fault(ErrorCode.SETTING_MALFORMED, file, f"at most {MOST_BYTES:,} bytes", "more"))
        read = tomllib.loads(text.decode())
    except OSError as error:
        raise Unavailable(
            _fault(ErrorCode.READ_FAILED, file, "a file that can be read", error.strerror or "")
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed(_fault(ErrorCode.SETTING_MALFORMED, file, "TOML", str(error))) from error
    options = {str(option.name): option for option in context.command.params if isinstance(option, TyperOption)}
    for key, value in read.items():
        option = options.get(key)
        if option is None or key in {"config", "help"}:
            known = ", ".join(sorted(options.keys() - {"config", "help"}))
            raise Malformed(_fault(ErrorCode.SETTING_MALFORMED, file, f"one of {known}", "another key", key))
        if option.multiple is not isinstance(value, list) or isinstance(value, dict):
            expected = "an array" if option.multiple else "one value"
            raise Malformed(_fault(ErrorCode.SETTING_MALFORMED, file, expected, kind_of(value), key))
    context.default_map = {**(context.default_map or {}), **read}
    return path


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        dir_okay=False,
        metavar="FILE",
        is_eager=True,
        callback=read_settings,
        help="Settings as TOML, options by their long names. Default: the role's in /etc/lightbound, if it is there.",
    ),
]


def _fault(code: ErrorCode, file: Path, expected: str, found: str, key: str | None = None) -> Fault:
    return Fault(code=code, expected=expected, found=found, file=str(file), column=key)
