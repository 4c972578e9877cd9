"""A stranger's first day with the bank. Promise: it knows the published schemas and nothing else of the bank,
checks every message that it sends or receives against them, and fails where one is not what they say.

    first_day.py "amqps://teller@localhost:5671/bank?cacertfile=secrets/tls/authority.pem&certfile=secrets/tls/teller.pem\
&keyfile=secrets/tls/teller.key" shared-events/schemas --password-file secrets/broker/teller

Opens two accounts, pays cash in, transfers some of it, tries to transfer more than there is, asks for both
balances, and sends one command twice. Prints a JSON summary. Exit code: 0 as expected, 1 not, 2 no bank.
"""

import argparse
import json
import os
import ssl
import sys
import time
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pika
import pika.credentials
import pika.exceptions
from jsonschema import Draft202012Validator, FormatChecker

ONE = "application/cloudevents+json"
SEVERAL = "application/cloudevents-batch+json"
REFUSED = "bank.message.refused.v1"
# A reply is a courtesy: who has none after this many seconds sends the same again, with the same id.
ASK_AGAIN_AFTER = 5
QUERY_EXPIRES_MS = "60000"


class Mismatch(Exception):
    """The bank did something else than its contract says."""


def expect(holds, what):
    if not holds:
        raise Mismatch(what)


def new_id():
    """A UUIDv7 (RFC 9562): unique, and ordered by time."""
    millis = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (millis << 80) | (random & ((1 << 80) - 1))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def no_floats(text):
    raise Mismatch(f"{text} is a float: there are none in a bank")


class Contract:
    """The folder of published schemas."""

    def __init__(self, folder):
        documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(folder).glob("*.json")}
        if "asyncapi" not in documents or "envelope" not in documents:
            raise FileNotFoundError(f"{folder} has no asyncapi.json and envelope.json")
        self.channels = documents.pop("asyncapi")["channels"]
        checker = FormatChecker()
        self.validators = {}
        for name, schema in documents.items():
            Draft202012Validator.check_schema(schema)
            self.validators[name] = Draft202012Validator(schema, format_checker=checker)
        self.checked = 0

    def exchange(self, channel):
        return self.channels[channel]["bindings"]["amqp"]["exchange"]["name"]

    def check(self, envelope):
        """The envelope, and its data, are what the schemas say."""
        self._check("envelope", envelope, "")
        expect(envelope["type"] in self.validators, f"{envelope['type']} is not a published type")
        self._check(envelope["type"], envelope["data"], "data.")
        self.checked += 1

    def _check(self, name, value, prefix):
        errors = sorted(self.validators[name].iter_errors(value), key=lambda error: error.json_path)
        expect(not errors, "; ".join(f"{name}: {prefix}{error.json_path}: {error.message}" for error in errors))

    def read(self, properties, body):
        """The events of one message: one, or several that travelled together."""
        expect(properties.content_type in (ONE, SEVERAL), f"content type {properties.content_type!r}")
        content = json.loads(body, parse_float=no_floats)
        events = content if properties.content_type == SEVERAL else [content]
        expect(isinstance(events, list) and events, "a message without events")
        for event in events:
            self.check(event)
        return events


def user_of(url):
    return unquote(urlsplit(url).username or "")


def connection_parameters(url, password):
    """The broker with its certificate verified, host name included, and the client's own certificate. Without a
    password the certificate is the login."""
    bare, _, query = url.partition("?")
    files = {name: values[-1] for name, values in parse_qs(query).items()}
    scheme, _, rest = bare.partition("://")
    # Its parser wants a password.
    parameters = pika.URLParameters(bare if ":" in rest.split("@")[0] else f"{scheme}://{rest.replace('@', ':@', 1)}")
    if password is not None:
        parameters.credentials = pika.PlainCredentials(user_of(url), password)
    if bare.startswith("amqps:"):
        context = ssl.create_default_context(cafile=files.get("cacertfile"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certfile" in files:
            context.load_cert_chain(files["certfile"], files["keyfile"])
            if password is None:
                parameters.credentials = pika.credentials.ExternalCredentials()
        parameters.ssl_options = pika.SSLOptions(context, parameters.host)
    return parameters


class Bank:
    """One connection: commands and queries go out, replies and events come in."""

    def __init__(self, url, password, contract, timeout):
        self.contract, self.timeout = contract, timeout
        parameters = connection_parameters(url, password)
        self.user = user_of(url)
        parameters.client_properties = {"connection_name": "python/first_day"}
        self.connection = pika.BlockingConnection(parameters)
        self.outgoing = self.connection.channel()
        self.outgoing.confirm_delivery()
        self.incoming = self.connection.channel()
        self.replies, self.events, self.ids = {}, [], set()
        self.reply_to = self._own_queue(self._take_reply)
        self.incoming.queue_bind(self.reply_to, contract.exchange("replies"), routing_key=self.reply_to)
        watched = self._own_queue(self._take_events)
        self.incoming.queue_bind(watched, contract.exchange("accounts.account.activated.v1"), routing_key="#")

    def _own_queue(self, take):
        name = f"client.{self.user}.python.{uuid.uuid4()}"
        self.incoming.queue_declare(name, exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"})
        self.incoming.basic_consume(name, take, auto_ack=True, exclusive=True)
        return name

    def _take_reply(self, _channel, _method, properties, body):
        self.replies[properties.correlation_id] = self.contract.read(properties, body)

    def _take_events(self, _channel, method, properties, body):
        for event in self.contract.read(properties, body):
            expect(event["type"] == method.routing_key, f"{event['type']} came as {method.routing_key}")
            # At least once means now and then twice: the id tells.
            if event["id"] not in self.ids:
                self.ids.add(event["id"])
                self.events.append(event)

    def _wait(self, ready, until):
        while not ready() and time.monotonic() < until:
            self.connection.process_data_events(time_limit=min(0.2, max(0, until - time.monotonic())))
        return ready()

    def publish(self, envelope, partition_key):
        """Returns when the broker has confirmed it."""
        self.contract.check(envelope)
        kind = envelope["type"]
        properties = pika.BasicProperties(
            content_type=ONE,
            delivery_mode=pika.DeliveryMode.Persistent.value,
            message_id=envelope["id"],
            correlation_id=envelope["correlationid"],
            type=kind,
            timestamp=int(datetime.fromisoformat(envelope["time"]).timestamp()),
            app_id=envelope["source"],
            user_id=self.user,
            reply_to=self.reply_to,
            expiration=QUERY_EXPIRES_MS if ".get." in kind or ".list." in kind else None,
            headers={"x-partition-key": partition_key},
        )
        body = json.dumps(envelope, ensure_ascii=False).encode()
        self.outgoing.basic_publish(self.contract.exchange(kind), kind, body, properties, mandatory=True)

    def request(self, kind, subject, data, partition_key=None, message_id=None):
        """Sends a command or a query until it is answered. The id stays the same, so it has one effect."""
        message_id = message_id or new_id()
        envelope = {
            "specversion": "1.0",
            "id": message_id,
            "source": "/clients/python",
            "type": kind,
            "subject": subject,
            "time": datetime.now(timezone.utc).isoformat(),
            "dataschema": f"urn:bankwire:schema:{kind}",
            "correlationid": message_id,
            "data": data,
        }
        self.replies.pop(message_id, None)
        until = time.monotonic() + self.timeout
        while time.monotonic() < until:
            self.publish(envelope, partition_key or subject)
            if self._wait(lambda: message_id in self.replies, min(until, time.monotonic() + ASK_AGAIN_AFTER)):
                answer = self.replies.pop(message_id)
                for event in answer:
                    expect(event["correlationid"] == message_id or event["type"] == REFUSED, f"{kind}: another's reply")
                    expect(event["type"] != REFUSED, f"{kind} was refused: {event['data']}")
                return answer
        raise Mismatch(f"{kind} {message_id} has no answer after {self.timeout} s")

    def event(self, kind, what, matches):
        """The one event of this type that matches."""
        found = lambda: [it for it in self.events if it["type"] == kind and matches(it["data"])]
        expect(self._wait(found, time.monotonic() + self.timeout), f"no {kind} of {what} after {self.timeout} s")
        expect(len(found()) == 1, f"{len(found())} different {kind} of {what}")
        return found()[0]

    def close(self):
        self.connection.close()


def open_account(bank, name, language):
    account_id = str(uuid.uuid4())
    data = {
        "account_id": account_id,
        "holder": {"name": name, "language": language},
        "product": "current",
        "currency": "EUR",
        "external_reference": f"python-{account_id}",
    }
    (opened,) = bank.request("accounts.account.open.v1", account_id, data)
    expect(opened["type"] == "accounts.account.opened.v2", f"opening was answered by {opened['type']}: {opened['data']}")
    expect("holder" not in opened["data"], f"everybody hears of the holder: {opened['data']}")
    expect(Decimal(opened["data"]["overdraft_limit"]) == 0, "an overdraft that nobody asked for")
    return account_id, opened["data"]["iban"]


def activated(bank, account_id):
    bank.event("accounts.account.activated.v1", account_id, lambda data: data["account_id"] == account_id)


def transfer_of(debtor, creditor, amount, reference):
    return {
        "transfer_id": new_id(),
        "debtor": debtor,
        "creditor": creditor,
        "money": {"amount": amount, "currency": "EUR"},
        "reference": reference,
    }


def submit(bank, transfer, outcome, message_id):
    """Submits one transfer and returns its outcome, which must be of the given kind."""
    debtor = transfer["debtor"]
    subject = debtor.get("account_id") or debtor["code"]
    answer = bank.request("ledger.transfers.submit.v1", subject, {"transfers": [transfer]}, message_id=message_id)
    expect([it["type"] for it in answer] == [f"ledger.transfers.{outcome}.v1"], f"not {outcome}: {answer}")
    data = answer[0]["data"]
    expect(data["command_id"] == message_id, f"the outcome of another command: {data['command_id']}")
    expect([it["transfer_id"] for it in data["transfers"]] == [transfer["transfer_id"]], "not our transfer")
    return data["transfers"][0]


def balance(bank, account_id):
    (found,) = bank.request("ledger.balance.get.v1", account_id, {"account": {"account_id": account_id}})
    expect(found["type"] == "ledger.balance.found.v1", f"the balance was answered by {found['type']}")
    data = found["data"]
    expect(Decimal(data["balance"]) == Decimal(data["posted_credits"]) - Decimal(data["posted_debits"]), "no balance")
    return Decimal(data["balance"])


def same_amount(text, amount):
    return Decimal(text) == Decimal(amount)


def first_day(bank, summary):
    alice, summary["alice"] = open_account(bank, "Alice Nováková", "cs")
    bob, summary["bob"] = open_account(bank, "Bob O'Neill", "en")
    activated(bank, alice)
    activated(bank, bob)

    deposit = submit(bank, transfer_of({"code": "cash"}, {"account_id": alice}, "100.00", "Cash"), "posted", new_id())
    expect(same_amount(deposit["creditor"]["balance"], "100"), f"after the deposit: {deposit['creditor']}")
    expect(deposit["debtor"].get("code") == "cash", f"the deposit came from {deposit['debtor']}")

    rent = transfer_of({"account_id": alice}, {"account_id": bob}, "30.00", "Rent")
    rent_command = new_id()
    posted = submit(bank, rent, "posted", rent_command)
    expect(same_amount(posted["debtor"]["balance"], "70"), f"the debtor after the transfer: {posted['debtor']}")
    expect(same_amount(posted["creditor"]["balance"], "30"), f"the creditor after the transfer: {posted['creditor']}")
    announced = lambda: bank.event(
        "ledger.transfers.posted.v1", f"command {rent_command}", lambda data: data["command_id"] == rent_command
    )
    expect(announced()["data"]["transfers"] == [posted], "the event and the reply differ")

    too_much = transfer_of({"account_id": alice}, {"account_id": bob}, "70.01", "One cent too much")
    rejected = submit(bank, too_much, "rejected", new_id())
    summary["rejected"] = rejected["reason"]
    expect(rejected["reason"] == "insufficient_funds", f"rejected for {rejected['reason']}")

    again = submit(bank, rent, "posted", rent_command)
    expect(again == posted, f"another outcome the second time: {again}")
    balances = {"alice": balance(bank, alice), "bob": balance(bank, bob)}
    summary["balances"] = {name: f"{amount:.2f}" for name, amount in balances.items()}
    expect(balances == {"alice": Decimal(70), "bob": Decimal(30)}, f"the balances are {summary['balances']}")
    announced()  # still once


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the broker: amqps://user@host:port/vhost?cacertfile=...&certfile=...&keyfile=...")
    parser.add_argument("schemas", help="the folder of the published schemas")
    parser.add_argument("--password-file", help="the file with the password: arguments can be seen by others")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for each answer")
    arguments = parser.parse_args()
    try:
        contract = Contract(arguments.schemas)
        password = arguments.password_file and Path(arguments.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        bank = Bank(arguments.url, password, contract, arguments.timeout)
    except (OSError, ValueError, pika.exceptions.AMQPError) as error:
        print(f"first_day: no bank: {error!r}", file=sys.stderr)
        return 2
    summary = {"ok": False}
    try:
        first_day(bank, summary)
        summary["ok"] = True
        bank.close()
    except (Mismatch, ValueError, pika.exceptions.AMQPError) as error:
        summary["mismatch"] = f"{type(error).__name__}: {error}"
    summary["checked_messages"] = contract.checked
    summary["events"] = len(bank.events)
    print(json.dumps(summary, ensure_ascii=False))
    return 0 if summary["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
