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
        decodes_path: whether the request's path is percent-decoded before it is taken apart, so that `/%6dcp` takes
            the route `/mcp`, and `/a%2Fb` the route `/a/b`. The integration sees a decoded path (observed), and so
            do the apps; what the selection compares is unknown.
        merges_slashes: whether `//x` takes the route `/x`. Nothing says that it does.
        removes_dot_segments: whether `/a/../x` takes the route `/x` (RFC 3986, section 5.2.4, asks that of
            clients). Nothing says that a gateway does it.
        path_outranks_method: whether `ANY /a/b` beats `GET /a/{x}` for `GET /a/b`. AWS ranks by the path, and
            says of ANY only that it covers the methods not otherwise defined for the same path.
    """

    trailing_slash_matches: bool = False
    greedy_takes_empty: bool = False
    get_answers_head: bool = False
    decodes_path: bool = True
    merges_slashes: bool = False
    removes_dot_segments: bool = False
    path_outranks_method: bool = True


DEFAULT = Decisions()
