"""The Lambda Runtime API, which AWS's runtime client calls on loopback.

Source: "Using the Lambda runtime API" (AWS, runtimes-api). A secret in the path identifies the instance, so no other
program gets an event. The Host and Origin headers are checked, so no web page can ask (DNS rebinding).
"""

from collections.abc import Mapping

from routegen.serve.aws_behaviour import MAX_LAMBDA_PAYLOAD_BYTES
from routegen.serve.exchange import HttpRequest, HttpResponse, json_response
from routegen.serve.http_server import Respond
from routegen.serve.lambda_instance import LambdaInstance, LambdaInvocation, OutcomeKind

_BASE_PATH = "/2018-06-01/runtime"
_INVOCATION_PATH = f"{_BASE_PATH[1:]}/invocation/"
_ACCEPTED = json_response(202, {"status": "OK"})


def _error(status: int, problem: str, kind: str = "Error") -> HttpResponse:
    return json_response(status, {"errorMessage": problem, "errorType": kind})


_FORBIDDEN = _error(403, "only an instance of a function can ask")
_NOT_WAITING = _error(409, "the instance is busy or asks already")
_ENDING = _error(410, "the instance has to end")
_NOT_FOUND = _error(404, "the Runtime API has no such path")
_WRONG_ID = _error(400, "the request id is not that of the current invocation", "InvalidRequestID")


class RuntimeApi:
    """Answers the requests of all instances' runtime clients."""

    def __init__(self, address: str, instances: Mapping[str, LambdaInstance]) -> None:
        """Take `host:port`, and the instances by their secrets."""
        self._address = address
        self._instances = instances

    def answer(self, request: HttpRequest, respond: Respond) -> None:
        """Answer one request."""
        if request.header("host") != self._address or request.header("origin") is not None:
            respond(lambda: _FORBIDDEN)
            return
        secret, _, path = request.path[1:].partition("/")
        instance = self._instances.get(secret)
        response = _NOT_FOUND
        if (request.method, request.path) == ("POST", f"{_BASE_PATH}/init/error"):
            response = _ACCEPTED  # the client prints the traceback and exits; it posts this without the secret
        elif instance is None:
            response = _FORBIDDEN
        else:
            match request.method, path.removeprefix(_INVOCATION_PATH).split("/"):
                case "GET", ["next"] if instance.state in ("idle", "busy"):
                    response = _NOT_WAITING
                case "GET", ["next"]:
                    instance.wait_for_invocation(lambda invocation: respond(lambda: _event_response(invocation)))
                    return
                case "POST", [request_id, "response" | "error" as kind]:
                    outcome: OutcomeKind = "error" if kind == "error" else "result"
                    if outcome == "result" and len(request.body) > MAX_LAMBDA_PAYLOAD_BYTES:
                        outcome = "too-large"
                    response = _ACCEPTED if instance.finish_invocation(request_id, outcome, request.body) else _WRONG_ID
        respond(lambda: response)


def _event_response(invocation: LambdaInvocation | None) -> HttpResponse:
    if invocation is None or invocation.instance is None:
        return _ENDING
    headers = (
        # AWS's runtime client crashes without a content type.
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", str(invocation.deadline_ms)),
        ("lambda-runtime-invoked-function-arn", invocation.instance.function.arn),
        ("lambda-runtime-trace-id", invocation.trace_id),
    )
    return HttpResponse(200, headers, invocation.event)
