#!/usr/bin/env python3
"""A receiver of webhooks, as somebody who trusts nobody writes it: with the documentation of Hubster's signature, and with
nothing of standin.

    receiver.py [--port PORT] [--key KEY] [--plan 500,hang,close,redirect,200]

The first line tells its address. A request is answered with 200 when `x-hubster-signature` is the HMAC-SHA256 of its body
under the key, in base64, and with 403 when it is not; without a key nothing is verified. The words of a plan answer the
first requests otherwise: a status, `hang` (never), `close` (the connection ends without an answer), `redirect` (302 to
`/elsewhere`). `GET /seen` tells all that came, `PUT /key` gives another key, `PUT /plan` another plan.
"""

import argparse
import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGNATURE = "x-hubster-signature"


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, key, plan):
        super().__init__(("127.0.0.1", port), Handler)
        self.key, self.plan = key, plan
        self.seen, self.lock = [], threading.Lock()

    def is_signed(self, headers, body):
        """Whether the signature is right; None where there is no key to tell."""
        if self.key is None:
            return None
        expected = base64.b64encode(hmac.digest(self.key.encode(), body, hashlib.sha256))
        return hmac.compare_digest(expected, headers.get(SIGNATURE, "").encode())

    def take(self, request, headers, body):
        """Notes what came, and says how it is answered."""
        with self.lock:
            signed = self.is_signed(headers, body)
            word = self.plan.pop(0) if self.plan else "403" if signed is False else "200"
            self.seen.append({**request, "body": body.decode(), "signed": signed, "answer": word})
            return word


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = {"line": self.requestline, "headers": [list(pair) for pair in self.headers.items()]}
        word = self.server.take(request, self.headers, self.body())
        if word == "hang":
            threading.Event().wait()
        elif word == "close":
            self.close_connection = True
        elif word == "redirect":
            self.answer(302, {"location": "/elsewhere"})
        else:
            self.answer(int(word), {})

    def do_GET(self):
        with self.server.lock:
            seen = list(self.server.seen)
        self.answer(200 if self.path == "/seen" else 404, {}, seen)

    def do_PUT(self):
        value = self.body().decode()
        with self.server.lock:
            if self.path == "/key":
                self.server.key = value or None
            else:
                self.server.plan = [word for word in value.split(",") if word]
        self.answer(200, {})

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, headers, told=None):
        text = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(text)), "connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A receiver of webhooks that verifies who sent them.")
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--key")
    arguments.add_argument("--plan", type=lambda plan: plan.split(","), default=[])
    given = arguments.parse_args()
    receiver = Receiver(given.port, given.key, given.plan)
    print(f"listening on http://127.0.0.1:{receiver.server_port}", flush=True)
    receiver.serve_forever()
