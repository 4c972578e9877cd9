"""Verifies what `teller audit export` wrote, with nothing but the standard library.

Usage: verify_export.py FILE. Prints the ends of the chains, or the first line that differs."""
import hashlib
import json
import sys

ends = {}
for number, text in enumerate(open(sys.argv[1], encoding="utf-8"), start=1):
    line = json.loads(text)
    if "ends" in line:
        fits = all(ends.get(it["chain"], (0, "00" * 32)) == (it["place"], it["hash"]) for it in line["ends"])
    else:
        place, before = ends.get(line["chain"], (0, "00" * 32))
        hashed = bytes.fromhex(before) + bytes.fromhex(line["digest"]) + line["record"].encode()
        fits = line["place"] == place + 1 and line["hash"] == hashlib.sha256(hashed).hexdigest()
        ends[line["chain"]] = (line["place"], line["hash"])
    if not fits:
        sys.exit(f"line {number} does not follow from the lines before it")
for chain, (place, end) in sorted(ends.items()):
    print(chain, place, end)
