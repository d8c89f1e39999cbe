"""An observer takes an engine for dead when its beat stood still for the lease, on the observer's own clock."""

from __future__ import annotations

from core.engine.beats import Beats


def test_an_engine_lives_while_its_beat_moves() -> None:
    beats = Beats(lease=10)
    assert [beats.is_alive("e", beat, float(moment)) for beat, moment in [(1, 0), (2, 9), (3, 18)]] == [True] * 3


def test_it_is_dead_once_the_beat_stood_still_for_the_lease_and_lives_again_when_it_moves() -> None:
    beats = Beats(lease=10)
    seen = [(moment, beats.is_alive("e", 7, float(moment))) for moment in (100, 104, 108, 109, 110, 111)]
    assert seen == [(100, True), (104, True), (108, True), (109, True), (110, False), (111, False)]
    assert beats.is_alive("e", 8, 112.0)
    assert beats.is_alive("e", 8, 116.0)


def test_engines_are_seen_apart_and_one_that_is_seen_first_lives() -> None:
    beats = Beats(lease=10)
    assert beats.is_alive("a", 1, 0.0)
    assert beats.is_alive("a", 1, 5.0)
    assert beats.is_alive("b", 1, 1000.0)
    assert [beats.is_alive("a", 1, 9.0), beats.is_alive("a", 1, 10.0)] == [True, False]


def test_an_observer_that_was_held_up_looks_once_more_before_it_says_dead() -> None:
    beats = Beats(lease=10)
    beats.is_alive("e", 1, 0.0)
    assert beats.is_alive("e", 1, 500.0)
    assert not beats.is_alive("e", 1, 505.0)


def test_what_was_forgotten_is_seen_as_for_the_first_time() -> None:
    beats = Beats(lease=10)
    beats.is_alive("e", 1, 0.0)
    beats.is_alive("e", 1, 9.0)
    beats.forget("e")
    assert beats.is_alive("e", 1, 12.0)
