"""Quotas of API Gateway and Lambda, and each point of their behaviour that AWS leaves unclear, with its source.

Where AWS's documentation is silent or reports disagree, the local gateway serves the app less rather than more: an app
that works here works with the other behaviour too. A measurement on AWS that shows something different is a reason to
change the constant.
"""

MEGABYTE = 1024 * 1024

MAX_BODY_BYTES = 10 * MEGABYTE
"""Size limit of a request's body ("Quotas for HTTP APIs": payload size)."""

MAX_LAMBDA_PAYLOAD_BYTES = 6 * MEGABYTE
"""Size limit of an event and of a result ("Lambda quotas": invocation payload, synchronous, each direction)."""

MAX_HEADER_BYTES = 10_240
"""Size limit of the request line, the header names and the header values together.

"Quotas for HTTP APIs" limits "request line and header values" and does not mention the names. Others read the quota as
all of the headers, which is stricter, so the names count here.
"""

INTEGRATION_TIMEOUT = 30.0
"""Seconds that a request can take, with the wait for a free instance ("Quotas for HTTP APIs": integration timeout).

AWS rejects an invocation above the account's concurrency, which is a thousand instances by default ("Lambda quotas").
A developer's machine has far fewer, so a request waits here until an instance is free or this time is over.
"""

HEADERS_TOO_LARGE_STATUS = 431
"""Status of a request above `MAX_HEADER_BYTES`. AWS does not document it; users report 431 (RFC 6585, section 5)."""

EVENT_TOO_LARGE_STATUS = 413
"""Status of a request whose body is within `MAX_BODY_BYTES` and whose event is above `MAX_LAMBDA_PAYLOAD_BYTES`.

AWS documents both limits, and not the status that the client gets.
"""

UPSTREAM_UNREACHABLE_STATUS = 503
"""Status if the server of an HTTP_PROXY integration cannot be reached.

Source: none. A Lambda function that is too slow is a 503 too.
"""

EMPTY_RAW_QUERY_STRING = ""
"""`rawQueryString` of a request without a query.

AWS's sample events of a GET request have the key with this value; deployed functions get no `queryStringParameters` and
no `body` then.
"""

STATUS_CODE_TYPE = int
"""The JSON type of a valid `statusCode`. AWS does not document whether the text `"200"` is valid, so it is an error."""

HEAD_LENGTH_HEADER = "content-length"
"""The header of a function's result that is the content-length of the response to HEAD.

AWS does not document whether it replaces this by the length of the empty body. RFC 9110, section 9.3.2, asks for the
headers that GET would have.
"""
