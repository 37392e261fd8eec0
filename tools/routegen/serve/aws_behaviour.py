"""What AWS leaves unclear about events, responses and limits, each point one named switch.

As in `routegen.gateway.assumptions`: where the text is silent or observers disagree, the gateway takes the answer
that serves the app less, and whoever measures otherwise on AWS corrects it here.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Decisions:
    """The switches, with the decision that the project takes as default.

    Attributes:
        sends_empty_raw_query: whether `rawQueryString` is there, empty, for a request without a query. AWS's sample
            events of a GET show it so; `queryStringParameters` and `body` are absent then (observed).
        counts_header_names: whether the limit of 10,240 bytes counts the names of the headers, beside the request
            line and the values. AWS's quota says "request line and header values"; others read it as all of them.
        headers_too_large: the status past that limit. Reports say 431, AWS doesn't say.
        event_too_large: the status for an event past Lambda's 6 MB, which API Gateway's own limit of 10 MB lets
            through. AWS documents Lambda's limit, not what the client sees.
        reads_status_text: whether a `statusCode` that is a text of digits is one. Unknown.
        keeps_head_length: whether the answer to HEAD has the function's own content-length, not its empty body's.
            Unknown; RFC 9110, section 9.3.2, asks for the first.
        throttled_waits: whether a request waits for an instance where all are busy, as long as the time-out lets
            it. On AWS the limit is an account's, a thousand instances; a laptop's is small.
    """

    sends_empty_raw_query: bool = True
    counts_header_names: bool = True
    headers_too_large: Literal[400, 431] = 431
    event_too_large: Literal[413, 500] = 413
    reads_status_text: bool = False
    keeps_head_length: bool = True
    throttled_waits: bool = True


DEFAULT = Decisions()
