"""Learning-rate schedules."""

import pytest

import neurapde as npde


def test_a_cosine_starts_at_one_is_half_way_in_the_middle_and_ends_at_its_final_value() -> None:
    schedule = npde.training.Cosine(final=0.1)
    assert schedule.factor(0, 100) == 1.0
    assert schedule.factor(50, 100) == pytest.approx(0.55)
    assert schedule.factor(100, 100) == pytest.approx(0.1)


def test_an_exponential_multiplies_by_its_rate_every_so_many_steps_whatever_the_total() -> None:
    schedule = npde.training.Exponential(rate=0.25, every=10)
    assert [schedule.factor(step, 7) for step in (0, 5, 10, 20)] == pytest.approx([1, 0.5, 0.25, 0.0625])
    assert not schedule.follows_total


def test_a_constant_is_one() -> None:
    assert npde.training.ConstantRate().factor(17, 20) == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.training.Cosine(final=1.5), r"Cosine final=1\.5"),
        (lambda: npde.training.Exponential(rate=0.0), r"Exponential rate=0\.0"),
        (lambda: npde.training.Exponential(every=0), "Exponential every=0"),
    ],
)
def test_a_schedule_without_meaning_is_refused(make: object, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()


def test_an_old_public_name_works_and_says_the_new_one() -> None:
    with pytest.warns(DeprecationWarning, match="npde.Constant is npde.training.ConstantRate now"):
        assert npde.Constant is npde.training.ConstantRate
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = npde.Nothing
