"""Places where a map has its edges and the Earth has none: the antimeridian and the poles."""

import pytest

from tests.adjudication.asking import asked, landmark, near

CHUKOTKA, TAVEUNI, ROSS = (68.0, "RU"), (-16.81, "FJ"), (-85.0, "AQ")
DRAWINGS_OVER_THE_POLE = ("@arctic", "GL|circle(88.5,20,400)", "circle(90,0,300)|LS", "circle(89,-170,400)|LS")


@pytest.mark.parametrize("longitude", [-180.0, 180.0])
@pytest.mark.parametrize(("latitude", "country"), [CHUKOTKA, ROSS])
def test_a_landmark_on_the_antimeridian_proves_the_land_it_stands_on(
    latitude: float, country: str, longitude: float
) -> None:
    found = asked([near(latitude, longitude, 100, name="l")], licensed=country, excluded="BR")
    assert found.words == ("verified", "within", "outside")


@pytest.mark.parametrize("longitude", [-180.0, 180.0])
@pytest.mark.parametrize(("latitude", "country"), [CHUKOTKA, TAVEUNI, ROSS])
def test_a_landmark_on_the_antimeridian_is_ignored_where_the_land_it_stands_on_is_excluded(
    latitude: float, country: str, longitude: float
) -> None:
    found = asked([near(latitude, longitude, 100, name="l")], licensed="BR", excluded=country)
    assert (found.landmarks_used, found.landmarks_ignored) == (0, 1)
    assert found.words == ("undetermined", "undetermined", "undetermined")


@pytest.mark.parametrize(
    ("latitude", "country"), [CHUKOTKA, TAVEUNI, ROSS, (0.0, "FJ"), (60.0, "US"), (5.0, "@edge180")]
)
def test_both_names_of_the_antimeridian_mean_one_place(latitude: float, country: str) -> None:
    for microseconds in (20, 100, 1000, 10_000):
        west, east = (
            asked([near(latitude, longitude, microseconds, name="l")], licensed=country, border_error_m=0)
            for longitude in (-180.0, 180.0)
        )
        assert west == east


@pytest.mark.parametrize("text", DRAWINGS_OVER_THE_POLE)
@pytest.mark.parametrize("longitude", [-180.0, 0.0, 77.0, 180.0])
def test_the_north_pole_is_inside_what_is_drawn_over_it(text: str, longitude: float) -> None:
    found = asked([near(90, longitude, 300, name="l")], licensed=text, excluded="AQ")
    assert found.words == ("verified", "within", "outside")


@pytest.mark.parametrize("text", DRAWINGS_OVER_THE_POLE)
def test_a_landmark_on_the_pole_of_an_excluded_area_is_ignored(text: str) -> None:
    assert asked([near(90, 0, 300, name="l")], licensed="AQ", excluded=text).landmarks_ignored == 1


@pytest.mark.parametrize("longitude", [-180.0, 0.0, 90.0, 180.0])
def test_the_south_pole_is_in_antarctica(longitude: float) -> None:
    assert asked([near(-90, longitude, 300, name="l")], licensed="AQ").licensed == "within"
    assert asked([near(-90, longitude, 300, name="l")], licensed="@polar_ring").licensed == "outside"


def test_the_drawn_edge_on_the_antimeridian_is_an_edge() -> None:
    assert asked([near(5, 179.99, 1, name="l")], licensed="@edge180", border_error_m=0).licensed == "within"
    assert asked([near(5, 179.99, 20, name="l")], licensed="@edge180", border_error_m=0).licensed == "undetermined"
    assert asked([near(5, -179.99, 1, name="l")], licensed="@edge180", border_error_m=0).licensed == "outside"


def test_where_an_area_goes_on_beyond_the_antimeridian_there_is_no_edge() -> None:
    assert asked([near(0, 180, 3000, name="l")], licensed="@dateline").licensed == "within"


def test_polygons_of_a_drawing_that_overlap_are_all_of_it() -> None:
    assert asked([near(1, 1, 100, name="l")], licensed="@overlapping").licensed == "within"
    assert asked([near(1, 1, 100, name="l")], licensed="@overlapping", excluded="US").standing == "verified"


def test_a_declared_country_is_distrusted_wherever_the_landmark_says_it_stands() -> None:
    declared = near(1.3, 103.8, 100, name="l")
    assert asked([declared], excluded="CN+HK+MO").excluded == "outside"
    told = [type(declared)(landmark=landmark(1.3, 103.8, country="HK"), round_trip_ns=100_000)]
    found = asked(told, excluded="CN+HK+MO")
    assert (found.excluded, found.landmarks_ignored) == ("undetermined", 1)
