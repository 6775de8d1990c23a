"""Totals, age bands and intake bands, at their edges."""

import numpy as np
import pytest

from caregraph.scoring.measures import (
    INTAKE_BANDS,
    NO_INTAKE_BAND,
    ORS,
    SRS,
    AgeBand,
    age_bands,
    equal_lines,
    intake_bands,
    total,
)

NAN = np.nan


def test_measures():
    assert ORS.items == ("individually", "interpersonally", "socially", "overall")
    assert SRS.items == ("relationship", "goals_and_topics", "approach_or_method", "overall")
    assert (ORS.item_minimum, ORS.item_maximum, ORS.maximum) == (0.0, 10.0, 40.0)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((0.0, 0.0, 0.0, 0.0), 0.0),
        ((10.0, 10.0, 10.0, 10.0), 40.0),
        ((0.1, 0.2, 0.0, 0.0), 0.3),
        ((3.3, 3.3, 3.3, 8.2), 18.1),
        ((1.23, 0.0, 0.0, 0.0), 1.23),
        ((10.1, 0.0, 0.0, 0.0), NAN),
        ((-0.1, 5.0, 5.0, 5.0), NAN),
        ((NAN, 5.0, 5.0, 5.0), NAN),
        ((np.inf, -np.inf, 5.0, 5.0), NAN),
        ((NAN, NAN, NAN, NAN), NAN),
    ],
)
def test_total(lines, expected):
    found = total(ORS, np.array([lines, (1.0, 1.0, 1.0, 1.0)]))

    assert np.array_equal(found, [expected, 4.0], equal_nan=True)


def test_no_rows():
    assert total(SRS, np.empty((0, 4))).shape == (0,)


def test_items_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"srs needs items of shape \(n, 4\), not \(1, 3\)"):
        total(SRS, np.zeros((1, 3)))


def test_equal_lines():
    found = equal_lines(ORS, np.array([22.6, 40.1, NAN]))

    assert np.array_equal(found, [[5.65] * 4, [NAN] * 4, [NAN] * 4], equal_nan=True)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0.0, AgeBand.UNDER_6),
        (5.99, AgeBand.UNDER_6),
        (6.0, AgeBand.AGE_6_12),
        (12.99, AgeBand.AGE_6_12),
        (13.0, AgeBand.AGE_13_17),
        (17.99, AgeBand.AGE_13_17),
        (18.0, AgeBand.ADULT),
        (104.0, AgeBand.ADULT),
        (NAN, AgeBand.UNKNOWN),
        (-1.0, AgeBand.UNKNOWN),
        (np.inf, AgeBand.UNKNOWN),
    ],
)
def test_age_bands(age, band):
    assert age_bands(np.array([age])).tolist() == [band]


@pytest.mark.parametrize(
    ("intake", "band"),
    [(0.0, 0), (9.9, 0), (10.0, 1), (15.0, 2), (20.0, 3), (24.9, 3), (25.0, 4), (30.0, 5), (40.0, 5)],
)
def test_intake_bands(intake, band):
    assert intake_bands(np.array([intake])).tolist() == [band]


@pytest.mark.parametrize("intake", [NAN, -0.1, 40.1])
def test_totals_outside_the_scale_have_no_intake_band(intake):
    assert intake_bands(np.array([intake])).tolist() == [NO_INTAKE_BAND]


def test_intake_bands_leave_no_gap():
    assert [band.label for band in INTAKE_BANDS] == ["0-<10", "10-<15", "15-<20", "20-<25", "25-<30", "30-40"]
    assert [band.end for band in INTAKE_BANDS[:-1]] == [band.start for band in INTAKE_BANDS[1:]]
