"""One TLS context for all HTTP clients of a process: reading the certificates of this machine takes 40 ms of CPU time.

Importing this module lets httpcore2, and with it httpx2, share the contexts.
"""

import os
import ssl
from functools import cache

import httpcore2

_create_context = httpcore2.default_ssl_context


@cache
def _context(trust_env: bool, _file: str | None, _directory: str | None) -> ssl.SSLContext:
    return _create_context(_trust_env=trust_env)


def _shared_context(*, _trust_env: bool = True) -> ssl.SSLContext:
    return _context(_trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


vars(httpcore2)["default_ssl_context"] = _shared_context
_shared_context()
