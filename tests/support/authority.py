"""A time-stamping authority for the tests: the real `openssl ts`, and a loopback server that hands it requests."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[tsa_cert]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl(*args: str | Path, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Run openssl."""
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, check=check)


class Authority:
    """A root, an intermediate and a time-stamping certificate in a folder."""

    def __init__(self, folder: Path, name: str = "Test") -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.roots = folder / "roots.pem"
        (folder / "serial").write_text("01\n")
        self._config = folder / "tsa.cnf"
        self._config.write_text(CONFIG.format(folder=folder))
        self._certify("root", f"/O=depose tests/CN={name} root", "ca", "root")
        self._certify("middle", f"/O=depose tests/CN={name} intermediate", "ca", "root")
        self._certify("tsa", f"/O=depose tests/CN={name} time-stamping", "tsa_cert", "middle")
        # What openssl encloses of a chain is not in the order of DER, so that the chain stands with the root.
        self.roots.write_bytes((folder / "root.pem").read_bytes() + (folder / "middle.pem").read_bytes())

    def _certify(self, name: str, subject: str, extensions: str, issuer: str) -> None:
        key, request, made = (self.folder / f"{name}.{suffix}" for suffix in ("key", "csr", "pem"))
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        signer = (
            ("-signkey", key)
            if name == issuer
            else ("-CA", self.folder / f"{issuer}.pem", "-CAkey", self.folder / f"{issuer}.key", "-CAcreateserial")
        )
        extended = ("-extfile", self._config, "-extensions", extensions)
        openssl("x509", "-req", "-in", request, *signer, *extended, "-days", "3650", "-out", made)

    def reply(self, query: bytes) -> bytes:
        """Answer a request as `openssl ts` does."""
        asked, answered = self.folder / "query.tsq", self.folder / "reply.tsr"
        asked.write_bytes(query)
        openssl("ts", "-reply", "-config", self._config, "-queryfile", asked, "-out", answered)
        return answered.read_bytes()

    @contextlib.contextmanager
    def serve(self, body: bytes | None = None, status: int = 200) -> Iterator[str]:
        """Serve on a loopback port; give its URL. `body` and `status` make it a broken one."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                reply = authority.reply(query) if body is None else body
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()
