"""What a user's profile holds: names kept in step, telephone numbers and time zones as the world writes them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers

from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import LONGEST_NAME

from .models import split_name

NO_PHONE = "must be a telephone number with its country code, such as +45 12 34 56 78"
NO_TIME_ZONE = "must be an IANA time zone, such as Europe/Copenhagen"
EITHER_NAME = "give either fullName, or firstName and lastName"
_PARTS = ("first_name", "last_name")


def with_names(values: Mapping[str, Any], before: Mapping[str, str | None]) -> dict[str, Any]:
    """The values with all three names, whichever of them are among these; `before` are the parts until now."""
    sent = {part: values[part] for part in _PARTS if part in values}
    if "full_name" in values:
        if sent:
            raise Refused(Code.INVALID, EITHER_NAME, "input", "fullName")
        first, last = split_name(values["full_name"])
        return {**values, "first_name": first, "last_name": last}
    if not sent:
        return dict(values)
    parts = {part: (text or "").strip() or None for part, text in {**before, **sent}.items()}
    full_name = " ".join(part for part in (parts["first_name"], parts["last_name"]) if part)
    if not full_name:
        raise Refused(Code.INVALID, "must not be empty", "input", "firstName")
    if len(full_name) > LONGEST_NAME:
        raise Refused(Code.INVALID, f"must have at most {LONGEST_NAME} characters in all", "input", "lastName")
    return {**values, **parts, "full_name": full_name}


def phone_problem(text: str) -> str | None:
    """What is wrong with a telephone number; null if it can be dialled from anywhere."""
    return NO_PHONE if international(text) is None else None


def international(text: str) -> str | None:
    """A telephone number in E.164 form, such as `+4512345678`; null for one without its country code, or impossible."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def time_zone_problem(text: str) -> str | None:
    """What is wrong with the name of a time zone."""
    return None if text in _time_zones() else NO_TIME_ZONE


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
