"""How much a difference matters, and by which rule: the ids are stable, for SARIF and for who filters."""

from dataclasses import dataclass
from typing import Literal, get_args

from routegen.compare.differences import Added, Changed, DefaultChanged, Difference, Removed
from routegen.manifest import Role

Level = Literal["error", "warning", "note"]

# What a client asks for before it can sign in, or during it: without one of these it doesn't connect.
_SIGN_IN = frozenset(get_args(Role)) - {"revocation-endpoint", "owned", "other"}


@dataclass(frozen=True)
class Rule:
    """A kind of difference.

    Attributes:
        id: stable.
        level: SARIF's words (2.1.0, section 3.27.10).
        text: what it is, in one sentence.
    """

    id: str
    level: Level
    text: str


RULES = (
    Rule("sign-in-removed", "error", "A path that clients need to sign in is no longer served."),
    Rule("route-removed", "warning", "A path is no longer served."),
    Rule(
        "sign-in-changed", "error", "A path that clients need to sign in is served by another app or as something else."
    ),
    Rule("route-changed", "warning", "A path is served differently."),
    Rule("route-added", "note", "A path is served that had no route."),
    Rule("default-changed", "warning", "Another app is behind $default."),
    Rule("not-carried", "warning", "The gateway can't carry something that an app serves."),
    Rule("rule-taken", "warning", "A route takes the requests of a rule of the app behind $default."),
    Rule("page-taken", "note", "A route takes a path that the app behind $default would answer as a page."),
)
_BY_ID = {rule.id: rule for rule in RULES}


@dataclass(frozen=True)
class Note:
    """Something worth knowing that is no difference.

    Attributes:
        rule: the id of its rule.
        path: of the route that it is about, or as the app writes it.
        text: one sentence.
    """

    rule: str
    path: str
    text: str

    @property
    def level(self) -> Level:
        """The level of its rule."""
        return _BY_ID[self.rule].level


def rule_of(difference: Difference) -> Rule:
    """The rule that a difference falls under."""
    match difference:
        case Added():
            return _BY_ID["route-added"]
        case DefaultChanged():
            return _BY_ID["default-changed"]
        case Removed(route):
            return _BY_ID["sign-in-removed" if route.role in _SIGN_IN else "route-removed"]
        case Changed(before, _, fields):
            moved = before.role in _SIGN_IN and not {"app", "role"}.isdisjoint(fields)
            return _BY_ID["sign-in-changed" if moved else "route-changed"]
