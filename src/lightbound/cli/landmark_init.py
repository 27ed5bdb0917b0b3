"""`lightbound landmark init`: a landmark gets its key, and asks its operator to sign where it stands."""

from pathlib import Path
from typing import Annotated

import typer

from lightbound.cli.signing_options import (
    JsonOption,
    KeepKeyOption,
    check_writable,
    own_key,
    plain_text,
    print_json,
)

HELP = """Make a landmark's key, and write what its operator is to sign: where the landmark stands.

The key stays on the landmark, in DIR/keys/landmark.pem, and nowhere else: whoever has a copy can measure in its place.
A key that is there is never replaced. The request holds no secret; take it to the operator, who signs it with
`lightbound operator sign`, and put what comes back into DIR/position.cose.

\b
--error-m     how far the network card may be from the stated place, survey and rounding included. Bounds widen
              by it; a place that is farther off than it says can accuse an honest chip.
--hosting     who could move or unplug the machine, or copy its key: the owner of room, rack or virtual machine,
              by the name that everybody else uses for it. Landmarks that share it can be counted as one.
--jurisdiction  ISO 3166-1 code of the country whose authority reaches it.
--can-pause   a virtual machine: somebody could stop it with all its clocks. Its bounds widen by 1000 km or so.
--surveyed    how the place is known, in a few words.

\b
Example:
  lightbound landmark init --data /var/lib/lightbound/landmark --latitude 1.2966 --longitude 103.7764 --error-m 100 \\
    --altitude-m 20 --hosting "Example Colo SG1" --jurisdiction SG --surveyed "GNSS on the roof, 2026-03-01" \\
    --out request.json
"""


def landmark_init(
    *,
    data: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="DIR", help="The landmark's folder of data. Default: as `landmark run`."),
    ] = None,
    latitude: Annotated[float, typer.Option(min=-90, max=90, metavar="DEG", help="WGS-84, north is positive.")],
    longitude: Annotated[float, typer.Option(min=-180, max=180, metavar="DEG", help="WGS-84, east is positive.")],
    error_m: Annotated[
        int, typer.Option(min=1, max=20_037_508, metavar="M", help="It stands within so many metres of there.")
    ],
    altitude_m: Annotated[int, typer.Option(min=-500, max=5000, metavar="M", help="Above the ellipsoid, roughly.")],
    hosting: Annotated[str, typer.Option(metavar="TEXT", help="Who could move it, or copy its key.")],
    jurisdiction: Annotated[str, typer.Option(metavar="CC", help="The country whose authority reaches it.")],
    surveyed: Annotated[str, typer.Option(metavar="TEXT", help="How the place is known.")],
    out: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="Write the request there.")],
    can_pause: Annotated[bool, typer.Option("--can-pause", help="On a virtual machine.")] = False,
    keep_key: KeepKeyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a landmark's key, and write what its operator is to sign: where the landmark stands."""
    from lightbound.files.position_requests import PositionRequest, nonsense, write_request
    from lightbound.keys.purposes import Purpose
    from lightbound.ranging.statements.admission import E7
    from lightbound.roles.state import default_folder

    check_writable(out)
    plain_text(hosting, "--hosting")
    plain_text(surveyed, "--surveyed")

    # Before there is a key: a request that nobody would sign must not leave one behind.
    latitude_e7, longitude_e7 = round(latitude * E7), round(longitude * E7)
    wrong = nonsense(latitude_e7=latitude_e7, longitude_e7=longitude_e7, jurisdiction=jurisdiction)
    if wrong is not None:
        key_name, expected, found = wrong
        raise typer.BadParameter(f"expected {expected}, found {found}", param_hint=f"--{key_name.removesuffix('_e7')}")
    folder = default_folder("landmark") if data is None else data
    key = own_key(folder, Purpose.LANDMARK, keep=keep_key).verifying
    request = PositionRequest(
        landmark_key=key,
        latitude_e7=latitude_e7,
        longitude_e7=longitude_e7,
        altitude_m=altitude_m,
        error_m=error_m,
        hosting=hosting,
        jurisdiction=jurisdiction,
        can_pause=can_pause,
        surveyed=surveyed,
    )
    write_request(out, request)
    if as_json:
        print_json({"format": "lightbound.key/1", "key": key.raw.hex(), "id": key.key_id.hex(), "out": str(out)})
        return
    typer.echo(f"landmark  {key.key_id.hex()}\nkey       {key.raw.hex()}\nrequest   {out}\n")
    typer.echo(
        "Next: tell the operator the landmark's id by another way than the request goes, and have it sign:\n"
        f"  lightbound operator sign {out} --data DIR --landmark {key.key_id.hex()} --out position.cose\n"
        f"Then put position.cose into {folder}."
    )


landmark_init.__doc__ = HELP
