"""`lightbound keys`: put key files under a passphrase, let one key follow another, and show what a file is."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from lightbound.cli.keys_rotate import ROTATE_HELP, rotate, tell_rotation
from lightbound.cli.signing_options import JsonOption, print_json

keys_app = typer.Typer(no_args_is_help=True, help="Put key files under a passphrase, and let one key follow another.")

GIVEN: Final = """\b
A passphrase never is an argument. Lightbound takes it from
  the file that LIGHTBOUND_PASSPHRASE_FILE names, for its owner alone (mode 0600), or a credential of systemd;
  else LIGHTBOUND_PASSPHRASE, which every process of the same user can read;
  else somebody at the terminal.
"""

PROTECT_HELP: Final = f"""Put a key file under a passphrase, or under another one.

The key stays the same; the file is rewritten whole or not at all, mode 0600. From then on every command that reads it
needs the passphrase: `operator`, `directory`, and the roles that run. Whoever forgets it has lost the key. Copies that
were made before, and perhaps the disk, still hold the key as it was: `operator init --protect` and
`directory init --protect` never write it without.

{GIVEN}
For a file that is protected already these say the old passphrase, and --new-passphrase-file, or the terminal, the new.

\b
Examples:
  lightbound keys protect operator/keys/operator.pem
  LIGHTBOUND_PASSPHRASE_FILE=old lightbound keys protect --new-passphrase-file new operator/keys/operator.pem
"""

UNPROTECT_HELP: Final = f"""Take the passphrase off a key file: whoever can read the file then has the key.

The key stays the same; the file is rewritten whole or not at all, mode 0600.

{GIVEN}
\b
Example:
  lightbound keys unprotect operator/keys/operator.pem
"""

SHOW_HELP: Final = """Show which key a file holds and whether it is protected, or what a ROTATION says once checked.

Of a key, the public half and its id are shown, never the key; a protected one asks for its passphrase. Of a ROTATION,
both signatures are checked. That its old key is the one you know, you compare; that the old key had not been stolen
before, no signature shows.

\b
Examples:
  lightbound keys show operator/keys/operator.pem
  lightbound keys show rotation.cose --json
"""

KeyFile: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="The key file, as keys/operator.pem.")]


@keys_app.callback()
def keys() -> None:
    """Put key files under a passphrase, and let one key follow another."""


@keys_app.command(help=PROTECT_HELP)
def protect(
    file: KeyFile,
    *,
    new_passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the passphrase to come. Default: as above.")
    ] = None,
) -> None:
    """Put a key file under a passphrase, or under another one."""
    from lightbound.files.keys import read_key_and_passphrase, replace_key
    from lightbound.files.passphrases import asked_twice, passphrase_given, read_passphrase
    from lightbound.keys.purposes import Purpose

    # A file does not say what its key is for, and it does not matter here: the same key is written again.
    key, old = read_key_and_passphrase(file, Purpose.OPERATOR)
    if new_passphrase_file is not None:
        passphrase = read_passphrase(new_passphrase_file)
    else:
        given = passphrase_given() if old is None else None
        passphrase = asked_twice(file) if given is None else given
    replace_key(file, key, passphrase)
    typer.echo(f"protected  {file}\nkey        {key.verifying.raw.hex()}\n")
    typer.echo("Next: keep the passphrase where the file is not, and delete copies that were made before.")


@keys_app.command(help=UNPROTECT_HELP)
def unprotect(file: KeyFile) -> None:
    """Take the passphrase off a key file: whoever can read the file then has the key."""
    from lightbound.files.keys import read_key, replace_key
    from lightbound.keys.purposes import Purpose

    key = read_key(file, Purpose.OPERATOR)
    replace_key(file, key, None)
    typer.echo(f"not protected  {file}\nkey            {key.verifying.raw.hex()}")


@keys_app.command(help=SHOW_HELP)
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A key file, or a ROTATION.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show which key a file holds and whether it is protected, or what a ROTATION says once checked."""
    from lightbound.files.keys import read_key_and_passphrase
    from lightbound.keys.purposes import Purpose

    if file.suffix == ".cose":
        tell_rotation(file, as_json=as_json)
        return
    key, passphrase = read_key_and_passphrase(file, Purpose.OPERATOR)
    protected = passphrase is not None
    if as_json:
        raw, named = key.verifying.raw.hex(), key.key_id.hex()
        print_json({"format": "lightbound.key-file/1", "key": raw, "id": named, "protected": protected})
        return
    typer.echo(f"id         {key.key_id.hex()}\nkey        {key.verifying.raw.hex()}")
    typer.echo(f"protected  {'yes, by a passphrase' if protected else 'no'}")


keys_app.command("rotate", help=ROTATE_HELP)(rotate)
