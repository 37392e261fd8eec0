"""A browser of the wiki Lambda: it sends events in payload format 2.0, and keeps cookies."""

import base64
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

PASSWORD = "long enough"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    encoded: bool
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class WikiBrowser(ABC):
    """Requests to one instance of the function, and the cookies of a browser."""

    cookies: dict[str, str] = field(default_factory=dict, kw_only=True)

    @abstractmethod
    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send one event to the function, and return its response."""

    def request(
        self, method: str, path: str, query: str = "", form: dict[str, str] | None = None, **headers: str
    ) -> Answer:
        """Send one event. `path` is decoded, as in an event of API Gateway."""
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "headers": {
                "host": "wiki.example",
                "x-forwarded-proto": "https",
                "x-forwarded-port": "443",
                "referer": "https://wiki.example/",
                **headers,
            },
            "requestContext": {
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
            },
            "isBase64Encoded": False,
        }
        if query:
            event["rawQueryString"] = query
        if self.cookies:
            event["cookies"] = [f"{name}={value}" for name, value in self.cookies.items()]
        if form is not None:
            event["headers"]["content-type"] = "application/x-www-form-urlencoded"
            event["body"] = base64.b64encode(urlencode(form).encode()).decode()
            event["isBase64Encoded"] = True
        return self.send(event)

    def send(self, event: dict[str, Any]) -> Answer:
        result = self.invoke(event)
        for cookie in result["cookies"]:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
        encoded = result["isBase64Encoded"]
        body = base64.b64decode(result["body"]) if encoded else result["body"].encode()
        return Answer(result["statusCode"], result["headers"], encoded, body)

    def get(self, path: str, query: str = "") -> Answer:
        return self.request("GET", path, query)

    def post(self, path: str, **form: str) -> Answer:
        """Post a form like a browser, with the CSRF token of a page."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/-/login").text)
        assert token, "the login page has no form"
        return self.request("POST", path, form={"csrf_token": token[1], **form})

    def save(self, page: str, content: str, message: str = "a change") -> Answer:
        return self.post(f"/{page}/save", content=content, commit=message)

    def register(self, name: str) -> Answer:
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        return self.post("/-/register", email=f"{name}@example.com", name=name, **passwords)

    def log_in(self, name: str, password: str = PASSWORD) -> bool:
        self.cookies.clear()
        self.post("/-/login", email=f"{name}@example.com", password=password)
        return self.get("/-/settings").status == 200


def check_life_of_an_account(wiki: WikiBrowser) -> None:
    """Create an account in a new wiki with the deployed environment, approve it, use it, and reset its password."""
    assert wiki.register("ann").status == 302
    assert not wiki.log_in("ann"), "nobody has approved the first visitor"
    assert wiki.log_in("admin")
    assert "ann@example.com" in wiki.get("/-/admin/user_management").text
    account = {"name": "ann", "email": "ann@example.com", "is_approved": "1", "password1": "", "password2": ""}
    wiki.post("/-/user/2", **account)
    assert wiki.log_in("ann")
    assert wiki.save("Page", "by ann").status == 302
    assert wiki.get("/-/admin/user_management").status == 403

    wiki.cookies.clear()
    assert wiki.get("/Page").status == 302, "a visitor cannot read"
    lost = wiki.get("/-/lost_password")
    assert (lost.status, lost.headers["location"]) == (302, "/-/login")
    assert "Ask an administrator of the wiki for a new password" in wiki.get("/-/login").text
    assert wiki.log_in("admin")
    wiki.post("/-/user/2", **account | {"password1": "another one", "password2": "another one"})
    assert not wiki.log_in("ann")
    assert wiki.log_in("ann", "another one")
