"""How much a difference matters, and by which rule: the ids are stable, for SARIF and for who filters."""

from dataclasses import dataclass
from typing import get_args

from routegen.diff.differences import Added, Changed, DefaultChanged, Difference, Removed, TableOutdated
from routegen.manifest import Role
from routegen.report import Level, Rule

# What a client asks for before it can sign in, or during it: without one of these it doesn't connect.
_SIGN_IN = frozenset(get_args(Role)) - {"revocation-endpoint", "owned", "other"}


RULES = (
    Rule("sign-in-removed", "error", "A path that clients need to sign in is no longer served."),
    Rule("route-removed", "warning", "A path is no longer served."),
    Rule(
        "sign-in-changed", "error", "A path that clients need to sign in is served by another app or as something else."
    ),
    Rule("route-changed", "warning", "A path is served differently."),
    Rule("route-added", "note", "A path is served that had no route."),
    Rule("default-changed", "warning", "Another app is behind $default."),
    Rule("table-outdated", "warning", "The route table beside the manifest shows something else."),
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
        return self.of.level

    @property
    def of(self) -> Rule:
        """Its rule."""
        return _BY_ID[self.rule]


def rule_of(difference: Difference) -> Rule:
    """The rule that a difference falls under."""
    match difference:
        case Added():
            return _BY_ID["route-added"]
        case DefaultChanged():
            return _BY_ID["default-changed"]
        case TableOutdated():
            return _BY_ID["table-outdated"]
        case Removed(route):
            return _BY_ID["sign-in-removed" if route.role in _SIGN_IN else "route-removed"]
        case Changed(before, _, fields):
            moved = before.role in _SIGN_IN and not {"app", "role"}.isdisjoint(fields)
            return _BY_ID["sign-in-changed" if moved else "route-changed"]
