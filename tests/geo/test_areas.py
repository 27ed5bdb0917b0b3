"""The area language: what it reads, what it refuses and with which words."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Malformed
from lightbound.geo.areas import (
    GREATEST_RADIUS_KM,
    AreaPart,
    Countries,
    Disc,
    Drawing,
    parse_area,
    write_area,
)

CODES = st.from_regex(r"[A-Z]{2}|NE-[A-Z0-9]{3}", fullmatch=True)
NAMES = st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable() and name == name.strip(" \t"))
PARTS = st.one_of(
    st.builds(Countries, st.lists(CODES, min_size=1, max_size=4).map(tuple)),
    st.builds(
        Disc,
        st.floats(-90, 90),
        st.floats(-180, 180),
        st.floats(0, GREATEST_RADIUS_KM, exclude_min=True),
    ),
    st.builds(
        Drawing,
        NAMES.filter(lambda name: not set(name) & set("|#")),
        st.none() | NAMES.filter(lambda name: "|" not in name),
    ),
)
AREAS = st.lists(PARTS, min_size=1, max_size=4).map(tuple)


@given(AREAS)
def test_an_area_that_was_written_reads_back_as_the_same(area: tuple[AreaPart, ...]) -> None:
    assert parse_area(write_area(area)) == area


@given(AREAS, st.sampled_from(["", " ", "\t", " \t "]))
def test_blanks_around_operators_mean_nothing(area: tuple[AreaPart, ...], blank: str) -> None:
    text = write_area(area)
    if not any(isinstance(part, Drawing) for part in area):
        for operator in "+|(),":
            text = text.replace(operator, f"{blank}{operator}{blank}").replace("e" + blank + "+" + blank, "e+")
    assert parse_area(f"{blank}{text}{blank}") == area


@given(st.text(alphabet=string.printable + "é\u2028\x00") | st.text(alphabet="circle(),.+-|@#0123456789eENA CN\t"))
def test_any_text_is_an_area_or_malformed(text: str) -> None:
    try:
        area = parse_area(text)
    except Malformed as error:
        (fault,) = error.faults
        assert fault.code is ErrorCode.AREA_MALFORMED
        assert len(fault.found) <= 80
    else:
        assert parse_area(write_area(area)) == area


def test_every_kind_of_part_is_read() -> None:
    assert parse_area("CN+HK + NE-KOS|circle(50.11, -8.68 ,25)|@a b/site.geojson # hall 3|@c.json") == (
        Countries(("CN", "HK", "NE-KOS")),
        Disc(50.11, -8.68, 25.0),
        Drawing("a b/site.geojson", "hall 3"),
        Drawing("c.json"),
    )


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        ("", "an area: country codes, circle(lat,lon,km) or @file.geojson", "''"),
        (" ", "an area: country codes, circle(lat,lon,km) or @file.geojson", "''"),
        ("CN|", "an area: country codes, circle(lat,lon,km) or @file.geojson", "''"),
        ("CN++HK", "a country code such as DE or NE-PGA", "''"),
        ("cn", "a country code such as DE or NE-PGA", "'cn'"),
        ("CHN", "a country code such as DE or NE-PGA", "'CHN'"),
        ("CN HK", "a country code such as DE or NE-PGA", "'CN HK'"),
        ("NE-K", "a country code such as DE or NE-PGA", "'NE-K'"),
        ("ＣＮ", "a country code such as DE or NE-PGA", "'ＣＮ'"),  # noqa: RUF001 - such letters are what is refused
        ("circle(1,2)", "circle(lat,lon,km)", "'circle(1,2)'"),
        ("circle(1,2,3", "circle(lat,lon,km)", "'circle(1,2,3'"),
        ("circle(1,2,3)+CN", "circle(lat,lon,km)", "'circle(1,2,3)+CN'"),
        ("CN+circle(1,2,3)", "countries, a circle or a drawing", "'CN+circle(1,2,3)'"),
        ("CN+@a.geojson", "countries, a circle or a drawing", "'CN+@a.geojson'"),
        ("circle(0x10,2,3)", "a number in circle(lat,lon,km)", "'0x10'"),
        ("circle(1_0,2,3)", "a number in circle(lat,lon,km)", "'1_0'"),
        ("circle(nan,2,3)", "a number in circle(lat,lon,km)", "'nan'"),
        ("circle(1,inf,3)", "a number in circle(lat,lon,km)", "'inf'"),
        ("circle(1,2,)", "a number in circle(lat,lon,km)", "''"),
        ("circle(90.1,2,3)", "a latitude from -90 to 90 degrees", "90.1"),
        ("circle(1,-180.5,3)", "a longitude from -180 to 180 degrees", "-180.5"),
        ("circle(1,2,0)", "a radius above 0 and up to 20003.9 km", "0.0"),
        ("circle(1,2,-3)", "a radius above 0 and up to 20003.9 km", "-3.0"),
        ("circle(1,2,1e999)", "a radius above 0 and up to 20003.9 km", "inf"),
        ("circle(1,2,20004)", "a radius above 0 and up to 20003.9 km", "20004.0"),
        ("@", "the path of a GeoJSON file after @", "''"),
        ("@a.geojson#", "the name of a feature after #", "''"),
        ("@a\x00b", "the path of a GeoJSON file after @", "'a\\x00b'"),
    ],
)
def test_what_is_not_of_the_language_is_named(text: str, expected: str, found: str) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_area(text)
    (fault,) = refusal.value.faults
    assert (fault.code, fault.expected, fault.found) == (ErrorCode.AREA_MALFORMED, expected, found)


def test_a_code_in_small_letters_is_told_its_capitals() -> None:
    with pytest.raises(Malformed) as refusal:
        parse_area("DE+ne-kos")
    assert refusal.value.faults[0].next == "write NE-KOS"


@pytest.mark.parametrize("name", ["", " a", "a|b", "a#b", "a\nb"])
def test_a_drawing_cannot_have_a_path_that_the_language_cannot_write(name: str) -> None:
    with pytest.raises(Malformed):
        Drawing(name)


def test_no_parts_cannot_be_written() -> None:
    with pytest.raises(Malformed):
        write_area(())
