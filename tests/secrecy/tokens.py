"""Join tokens for a bridge under test: JSON Web Tokens (RFC 7519), HS256."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret, **claims):
    signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return signed + "." + base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


class TokenKey:
    """A secret in a file of `folder`; the bridge's options that name it, and a token that it signs."""

    def __init__(self, folder):
        self.secret = os.urandom(24).hex().encode()
        file = pathlib.Path(folder) / "token-secret"
        file.write_bytes(self.secret)
        self.options = ["--token-required", "true", "--token-secret-file", str(file)]
        self.token = token(self.secret, exp=int(time.time()) + 600, conference="*")
