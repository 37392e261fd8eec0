"""What AWS leaves unclear about route selection, each point one named switch.

AWS documents how a route is chosen ("Create routes for HTTP APIs", http-api-develop-routes); where the text is
silent and observers disagree, the model takes the answer that serves the app less, because an app that works
under it works under the other too. Whoever has an AWS account and measures otherwise corrects it here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decisions:
    """The switches, with the decision that the project takes as default.

    Attributes:
        trailing_slash_matches: whether `/x/` takes the route `/x`. Observers disagree: a live test of a large
            AWS library expects no match, an older report says match.
        greedy_takes_empty: whether `{proxy+}` takes nothing after its slash: `/` for `/{proxy+}`, `/x/` for
            `/x/{proxy+}`. Observers disagree.
        get_answers_head: whether HEAD takes a route that has GET only. Nothing says that it does.
        decodes_segments: whether a literal segment is compared after percent-decoding the request's. The
            integration sees a decoded path (observed); what the selection compares is unknown.
        path_outranks_method: whether `ANY /a/b` beats `GET /a/{x}` for `GET /a/b`. AWS ranks by the path, and
            says of ANY only that it covers the methods not otherwise defined for the same path.
    """

    trailing_slash_matches: bool = False
    greedy_takes_empty: bool = False
    get_answers_head: bool = False
    decodes_segments: bool = True
    path_outranks_method: bool = True


DEFAULT = Decisions()
