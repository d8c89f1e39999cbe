"""Names of months and days in the languages that dates can be written in."""

from __future__ import annotations

from typing import NamedTuple

from core.expressions.faults import Fault


class Names(NamedTuple):
    """iso_weeks: weeks start on Monday, and the first one has 4 days of the year. Days start with Monday."""

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    iso_weeks: bool = True


def _names(months: str, short_months: str, days: str, short_days: str, iso_weeks: bool = True) -> Names:
    return Names(
        tuple(months.split()), tuple(short_months.split()), tuple(days.split()), tuple(short_days.split()), iso_weeks
    )


ENGLISH = _names(
    "January February March April May June July August September October November December",
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "Mon Tue Wed Thu Fri Sat Sun",
    iso_weeks=False,
)
_LANGUAGES = {
    "en": ENGLISH,
    "fr": _names(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "de": _names(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Mo. Di. Mi. Do. Fr. Sa. So.",
    ),
    "es": _names(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sept oct nov dic",
        "lunes martes miércoles jueves viernes sábado domingo",
        "lun mar mié jue vie sáb dom",
    ),
    "it": _names(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "lun mar mer gio ven sab dom",
    ),
    "nl": _names(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "ma di wo do vr za zo",
    ),
}


def names_of(locale: str | None) -> Names | None:
    """The names of a locale such as `fr_FR`; English for none, None for a language that is not known."""
    return ENGLISH if locale is None else _LANGUAGES.get(locale.replace("-", "_").partition("_")[0].lower())


def known(names: Names | None, locale: str | None) -> Names:
    """The names, when something in a pattern needs them. Raises Fault."""
    if names is None:
        raise Fault(f"the names of months and days are not known for the locale `{locale}`",
                    expected=f"one of {', '.join(_LANGUAGES)}")  # fmt: skip
    return names
