"""Verifies the file of `teller audit witness` with public keys, by another implementation of Ed25519 and of the format
(https://c2sp.org/signed-note).

Usage: verify_notes.py FILE KEY.pem... Prints the ends of the chains, or what is wrong."""
import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

keys = [load_pem_public_key(open(path, "rb").read()) for path in sys.argv[2:]]


def key_id(name, key):
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode() + b"\n\x01" + raw).digest()[:4]


for number, line in enumerate(open(sys.argv[1], encoding="utf-8"), start=1):
    text, signature = json.loads(line)["note"].split("\n\n")
    text += "\n"
    dash, name, encoded = signature.removesuffix("\n").split(" ")
    signed = base64.b64decode(encoded, validate=True)
    known = [key for key in keys if key_id(name, key) == signed[:4]]
    if dash != "\u2014" or not known or text.split("\n")[0] != name:
        sys.exit(f"line {number}: no signature of a known key")
    try:
        known[0].verify(signed[4:], text.encode())
    except InvalidSignature:
        sys.exit(f"line {number}: wrong signature")
    for chain in text.splitlines()[2:]:
        print(name, *chain.split(" "))
