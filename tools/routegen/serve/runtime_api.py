"""The Lambda Runtime API, which AWS's runtime client calls: a small ASGI application on loopback.

Source: "Using the Lambda runtime API" (AWS, runtimes-api). Each instance has its own port, which identifies it; only
its runtime client knows the port.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from routegen.serve.aws_behaviour import MAX_LAMBDA_PAYLOAD_BYTES
from routegen.serve.lambda_instance import LambdaInstance, LambdaInvocation, OutcomeKind

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
NextInvocation = Callable[[LambdaInstance], Awaitable[LambdaInvocation | None]]

_BASE_PATH = "/2018-06-01/runtime/"


async def answer_runtime_api(
    scope: Scope, receive: Receive, send: Send, instance: LambdaInstance | None, next_invocation: NextInvocation
) -> None:
    """Answer one request of an instance's runtime client.

    Args:
        scope: the ASGI scope.
        receive: the ASGI receive function.
        send: the ASGI send function.
        instance: the instance that asks; None if it has been ended.
        next_invocation: waits for the instance's next invocation.
    """
    if instance is None:
        await _send_json(send, 410, {"errorMessage": "the instance has ended"})
        return
    path = scope["path"].removeprefix(_BASE_PATH)
    match scope["method"], path.split("/"):
        case "GET", ["invocation", "next"]:
            invocation = await next_invocation(instance)
            if invocation is None:
                await _send_json(send, 410, {"errorMessage": "the instance has to end"})
            else:
                await _send_invocation(send, invocation, instance)
        case "POST", ["invocation", request_id, "response"]:
            payload = await _read_body(receive)
            if payload is None:
                return  # the process ended while it was sending, and `on_exit` handles that
            kind: OutcomeKind = "too-large" if len(payload) > MAX_LAMBDA_PAYLOAD_BYTES else "result"
            await _send_acceptance(send, instance.finish_invocation(request_id, kind, payload))
        case "POST", ["invocation", request_id, "error"]:
            await _read_body(receive)
            await _send_acceptance(send, instance.finish_invocation(request_id, "error", b""))
        case "POST", ["init", "error"]:
            # The client prints the traceback and exits, and `on_exit` handles that.
            await _read_body(receive)
            await _send_acceptance(send, True)
        case _:
            await _send_json(send, 404, {"errorMessage": "the Runtime API has no such path"})


async def _send_invocation(send: Send, invocation: LambdaInvocation, instance: LambdaInstance) -> None:
    headers = [
        # AWS's runtime client crashes without a content type.
        (b"content-type", b"application/json"),
        (b"content-length", str(len(invocation.event)).encode()),
        (b"lambda-runtime-aws-request-id", invocation.id.encode()),
        (b"lambda-runtime-deadline-ms", str(invocation.deadline_ms).encode()),
        (b"lambda-runtime-invoked-function-arn", instance.function.arn.encode()),
        (b"lambda-runtime-trace-id", invocation.trace_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": invocation.event})


async def _send_acceptance(send: Send, accepted: bool) -> None:
    if accepted:
        await _send_json(send, 202, {"status": "OK"})
    else:
        problem = "the request id is not that of the current invocation"
        await _send_json(send, 400, {"errorMessage": problem, "errorType": "InvalidRequestID"})


async def _send_json(send: Send, status: int, document: dict[str, str]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read_body(receive: Receive) -> bytes | None:
    """A request's body, or its beginning if it is too large; None if the connection ends before the body does."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= MAX_LAMBDA_PAYLOAD_BYTES:
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if not message.get("more_body", False):
            return b"".join(chunks)
