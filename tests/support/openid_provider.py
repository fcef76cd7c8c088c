"""An OpenID provider in a process of its own: `oidc-provider-mock`, which asks nobody for a password.

It takes any client; what it lacks, and what a test is to see, is put before it: a code is given out only for
a challenge of PKCE, and taken back only with its verifier. What it says of somebody can be changed
(`PUT /users/SUB`), and it signs whatever claims are sent to `/signed`, as it signs its ID tokens.
"""

import base64
import hashlib
import io
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit


@contextmanager
def provider(port: int, *users: str) -> Iterator[str]:
    """The issuer of a running provider, which knows these people, each as JSON with `sub` and claims."""
    process = subprocess.Popen([sys.executable, __file__, str(port), *users], stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "the provider has ended"
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(20)


class Pkce:
    """A WSGI application before another."""

    def __init__(self, application):
        self._application = application
        self._challenges = {}

    def __call__(self, environ, start_response):
        query = parse_qs(environ.get("QUERY_STRING", ""))
        path = environ["PATH_INFO"]
        if path == "/oauth2/authorize":
            if query.get("code_challenge_method") != ["S256"] or not query.get("nonce"):
                start_response("400 Bad Request", [("Content-Type", "text/plain")])
                return [b"no challenge"]

            def noting(status, headers, *rest):
                location = dict(headers).get("Location", "")
                for code in parse_qs(urlsplit(location).query).get("code", []):
                    self._challenges[code] = query["code_challenge"][0]
                return start_response(status, headers, *rest)

            return self._application(environ, noting)
        if path == "/oauth2/token":
            octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(octets)
            form = parse_qs(octets.decode())
            digest = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
            shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            basic = base64.b64decode(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Basic ") or b"")
            if self._challenges.pop(form["code"][0], "") != shown or basic != b"lazaret:s%2Fcret":
                start_response("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant"}']
        return self._application(environ, start_response)


def main() -> None:
    import json
    import logging
    from wsgiref.simple_server import WSGIServer, make_server

    import flask
    from joserfc import jwt
    from joserfc.jwk import RSAKey
    from oidc_provider_mock import app
    from oidc_provider_mock._storage import User, storage

    logging.disable()
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    users = []
    for text in sys.argv[2:]:
        claims = json.loads(text)
        users.append(User(sub=claims.pop("sub"), claims=claims))
    application = app(require_nonce=True, user_claims=users)

    @application.post("/signed")
    def signed():
        """A token with these claims, signed as its ID tokens are."""
        key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        return jwt.encode({"alg": "RS256"}, flask.request.get_json(), key)

    served = Pkce(application)
    make_server("127.0.0.1", int(sys.argv[1]), served, server_class=WSGIServer).serve_forever()


if __name__ == "__main__":
    main()
