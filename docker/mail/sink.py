"""Accepts every e-mail (SMTP, 1025) and webhook (HTTP, 8025) and forwards none. Promise: an accepted message
is shown at GET / (HTML), /messages and /webhooks (JSON, oldest first), until 1,000 newer ones have arrived
or the sink stops."""

import email
import email.policy
import html
import json
import signal
from collections import deque
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller

KEPT_MAX = 1_000
BODY_BYTES_MAX = 1024 * 1024
messages: deque[dict] = deque(maxlen=KEPT_MAX)
webhooks: deque[dict] = deque(maxlen=KEPT_MAX)


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


class Mail:
    async def handle_DATA(self, _server, _session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_body(preferencelist=("plain", "html"))
        messages.append({
            "from": str(mail["from"] or envelope.mail_from),
            "to": list(envelope.rcpt_tos),
            "subject": str(mail["subject"] or ""),
            "date": str(mail["date"] or ""),
            "message_id": str(mail["message-id"] or ""),
            "received_at": now(),
            "body": text.get_content().replace("\r\n", "\n") if text else "",
        })
        return "250 Kept, not delivered"


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that an idle connection may hold its thread

    def do_GET(self):
        pages = {
            "/": ("text/html", page),
            "/messages": ("application/json", lambda: json.dumps(list(messages), ensure_ascii=False)),
            "/webhooks": ("application/json", lambda: json.dumps(list(webhooks), ensure_ascii=False)),
            "/healthz": ("text/plain", lambda: "ok\n"),
        }
        kind, body = pages.get(self.path.split("?")[0], ("text/plain", None))
        if body is None:
            return self.answer(404, kind, f"GET {' '.join(pages)}, POST /webhook\n")
        self.answer(200, kind, body())

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if not self.path.startswith("/webhook"):
            return self.answer(404, "text/plain", "POST /webhook\n")
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413, "text/plain", "too large\n")
        body = self.rfile.read(length).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        webhooks.append({"path": self.path, "headers": headers, "body": body, "received_at": now()})
        self.answer(200, "text/plain", "kept\n")

    def answer(self, status: int, kind: str, body: str):
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def page() -> str:
    def rows(kept, *columns):
        cells = lambda entry: "".join(f"<td>{html.escape(column(entry))}" for column in columns)
        return "".join(f"<tr>{cells(entry)}" for entry in reversed(kept))

    mails = rows(list(messages), lambda m: m["received_at"], lambda m: ", ".join(m["to"]),
                 lambda m: m["subject"], lambda m: m["body"])
    hooks = rows(list(webhooks), lambda w: w["received_at"], lambda w: w["path"],
                 lambda w: w["headers"].get("webhook-id", ""), lambda w: w["body"])
    return f"""<!doctype html><meta charset="utf-8"><title>Bankwire: what was sent</title>
<style>body{{font:14px/1.5 system-ui;margin:2em}}table{{border-collapse:collapse;margin-bottom:2em}}
td,th{{border-bottom:1px solid #ccc;padding:.3em .8em;text-align:left;vertical-align:top;white-space:pre-wrap}}</style>
<h1>E-mail ({len(messages)})</h1><table><tr><th>received<th>to<th>subject<th>text</tr>{mails}</table>
<h1>Webhooks ({len(webhooks)})</h1><table><tr><th>received<th>path<th>id<th>body</tr>{hooks}</table>"""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    Controller(Mail(), hostname="0.0.0.0", port=1025, data_size_limit=BODY_BYTES_MAX, enable_SMTPUTF8=True).start()
    ThreadingHTTPServer(("0.0.0.0", 8025), Http).serve_forever()
