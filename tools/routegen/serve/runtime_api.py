"""The Lambda Runtime API, as AWS's runtime client speaks it: a small ASGI application on loopback.

Source: "Using the Lambda runtime API" (AWS, runtimes-api). Each instance has a port of its own, which says who is
asking; nothing but its runtime client is told it.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from routegen.serve.lambda_instance import Instance, Job
from routegen.serve.serve_settings import MAX_LAMBDA

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Next = Callable[[Instance], Awaitable[Job | None]]

_ROOT = "/2018-06-01/runtime/"


async def runtime_api(scope: Scope, receive: Receive, send: Send, instance: Instance | None, next_job: Next) -> None:
    """Answer one request of an instance's.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        instance: who is asking; None for one that has been ended meanwhile.
        next_job: waits for what it is to do.
    """
    if instance is None:
        await _answer(send, 410, {"errorMessage": "ended"})
        return
    path = scope["path"].removeprefix(_ROOT)
    match scope["method"], path.split("/"):
        case "GET", ["invocation", "next"]:
            job = await next_job(instance)
            await (_answer(send, 410, {"errorMessage": "ending"}) if job is None else _hand_over(send, job, instance))
        case "POST", ["invocation", request_id, "response"]:
            payload = await _body(receive)
            if payload is None:
                return  # the process has ended on the way, and its end is noticed
            large = len(payload) > MAX_LAMBDA
            await _accept(send, instance.finish(request_id, "too-large" if large else "result", payload))
        case "POST", ["invocation", request_id, "error"]:
            await _body(receive)
            await _accept(send, instance.finish(request_id, "error", b""))
        case "POST", ["init", "error"]:
            # The client prints the traceback itself, and ends; its end is what counts.
            await _body(receive)
            await _accept(send, True)
        case _:
            await _answer(send, 404, {"errorMessage": "no such path"})


async def _hand_over(send: Send, job: Job, instance: Instance) -> None:
    headers = [
        # AWS's client crashes without a content type.
        (b"content-type", b"application/json"),
        (b"content-length", str(len(job.event)).encode()),
        (b"lambda-runtime-aws-request-id", job.id.encode()),
        (b"lambda-runtime-deadline-ms", str(job.deadline_ms).encode()),
        (b"lambda-runtime-invoked-function-arn", instance.function.arn.encode()),
        (b"lambda-runtime-trace-id", job.trace_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": job.event})


async def _accept(send: Send, known: bool) -> None:
    if known:
        await _answer(send, 202, {"status": "OK"})
    else:
        await _answer(send, 400, {"errorMessage": "not the request in flight", "errorType": "InvalidRequestID"})


async def _answer(send: Send, status: int, document: dict[str, str]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes | None:
    """All of a request's body, past the limit only as much as shows that it is; None where it doesn't arrive."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= MAX_LAMBDA:
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
        if not message.get("more_body", False):
            return b"".join(chunks)
