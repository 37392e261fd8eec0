"""Assumptions about route selection that AWS does not document.

AWS documents how an HTTP API selects a route ("Create routes for HTTP APIs", http-api-develop-routes). Each constant
here answers a question that the page leaves open. Where observers disagree, the answer is the one that serves the app
less: an app that works under it works under the opposite answer too.

`routegen.gateway.selection` implements these answers and has no code for the opposite ones. If a measurement on AWS
contradicts a constant, change the constant and `selection`: tests/gateway/test_selection.py compares the two.
"""

TRAILING_SLASH_MATCHES = False
"""Whether a request for `/x/` matches the route `/x`.

Source: observers disagree. A live test of a large AWS library expects no match, an older report says that it matches.
"""

GREEDY_MATCHES_EMPTY = False
"""Whether `{proxy+}` matches an empty rest: `/` for the route `/{proxy+}`, `/x/` for the route `/x/{proxy+}`.

Source: observers disagree.
"""

HEAD_MATCHES_GET = False
"""Whether a HEAD request matches a route that exists only for GET.

Source: none. No documentation says that it does.
"""

PATH_IS_DECODED = True
"""Whether the path is percent-decoded before selection: `/%6dcp` matches the route `/mcp`, `/a%2Fb` matches `/a/b`.

Source: the path that the integration receives is decoded (observed). AWS does not say which form selection compares.
"""

SLASHES_ARE_MERGED = False
"""Whether a request for `//x` matches the route `/x`.

Source: none. No documentation says that it does.
"""

DOT_SEGMENTS_ARE_REMOVED = False
"""Whether a request for `/a/../x` matches the route `/x`.

Source: RFC 3986, section 5.2.4, asks clients to remove dot segments. No documentation says that the gateway does.
"""

PATH_OUTRANKS_METHOD = True
"""Whether `GET /a/b` selects `ANY /a/b` rather than `GET /a/{x}`.

Source: AWS ranks routes by their paths, and says of ANY only that it matches the methods that are not defined for the
same path.
"""
