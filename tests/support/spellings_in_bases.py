"""A secret as code tables, bases and number lists write it."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import json
import quopri
import random
import unicodedata
import zlib

import pyarrow as pa


def in_bases(secret: str) -> dict[str, bytes]:
    """Write a secret in other alphabets, with other letters, and as numbers."""
    made: dict[str, str | bytes] = {}
    data = secret.encode()
    xx = "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    std = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    def lines(d: str, w: int, e: str = "\n") -> str:
        return e.join(d[i : i + w] for i in range(0, len(d), w))

    def xxe(b: bytes) -> str:
        out = []
        for i in range(0, len(b), 45):
            c = b[i : i + 45]
            e = base64.b64encode(c + b"\x00" * (-len(c) % 3)).decode().translate(str.maketrans(std, xx))
            out.append(xx[len(c)] + e)
        return "begin 644 k\n" + "\n".join(out) + "\n+\nend\n"

    def mp(s: str) -> bytes:
        b = s.encode()
        return (bytes([160 | len(b)]) if len(b) < 32 else b"\xd9" + bytes([len(b)])) + b

    made["b32hex lower"] = base64.b32hexencode(data).lower()
    made["b32 in prose wrapped"] = "key: " + lines(base64.b32encode(b"the key is " + data).decode(), 16, "\n    ")
    made["a85 no frame ctx"] = base64.a85encode(b"hello key " + data)
    made["a85 wrapped"] = base64.a85encode(b"hello key " + data, wrapcol=20)
    made["b85 of zlib"] = base64.b85encode(zlib.compress(b"hello " + data))
    made["z85-ish"] = base64.b85encode(b"ab" + data).translate(
        bytes.maketrans(
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
        )
    )
    made["git patch"] = b"GIT binary patch\nliteral 30\n" + b"".join(
        bytes([len(c) + 64 if len(c) <= 26 else len(c) + 70]) + base64.b85encode(c, pad=True) + b"\n"
        for c in [zlib.compress(data)[i : i + 52] for i in range(0, len(zlib.compress(data)), 52)]
    )
    made["uu long"] = (
        b"begin 644 k\n"
        + b"".join(
            binascii.b2a_uu((b"some text before the key so it wraps: " + data)[i : i + 45]) for i in range(0, 80, 45)
        )
        + b"`\nend\n"
    )
    made["xx"] = xxe(data)
    made["xx long"] = xxe(b"some text before the key so it wraps: " + data)
    made["qp lower"] = "".join("=%02x" % c for c in data)
    made["qp soft sp"] = secret[:9] + "= \r\n" + secret[9:]
    made["qp mix"] = quopri.encodestring(("xü" * 20 + secret).encode())
    made["imap utf7"] = "&" + base64.b64encode(secret.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
    made["utf7 py"] = ("é" + secret + "é").encode("utf-7")
    made["rot5/18"] = secret.translate(
        str.maketrans(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM5678901234",
        )
    )
    made["rot47"] = "".join(chr(33 + (ord(c) - 33 + 47) % 94) for c in secret)
    made["caesar 3"] = "".join(
        chr((ord(c) - 97 + 3) % 26 + 97) if c.islower() else chr((ord(c) - 65 + 3) % 26 + 65) if c.isupper() else c
        for c in secret
    )
    made["atbash"] = "".join(
        chr(219 - ord(c)) if c.islower() else chr(155 - ord(c)) if c.isupper() else c for c in secret
    )
    made["rev b64"] = base64.b64encode(data)[::-1]
    made["b64 of rev"] = base64.b64encode(data[::-1])
    made["b64 rot13"] = codecs.encode(base64.b64encode(data).decode(), "rot13")
    made["hex rev"] = data.hex()[::-1]
    made["hex of rev"] = data[::-1].hex()
    made["json rev"] = json.dumps({"k": secret[::-1]})
    made["sep _"] = "_".join(secret)
    made["sep space dot"] = " . ".join(secret)
    made["sep newline"] = "\n".join(secret)
    made["sep <br>"] = "<br>".join(secret)
    made["sep zwsp ent"] = "&#8203;".join(secret)
    made["sep &shy;"] = "&shy;".join(secret)
    made["sep wbr"] = "<wbr>".join(secret)
    made["sep x"] = "x".join(secret)
    made["sep random"] = "".join((c + random.Random(i).choice("abcdefgh") for i, c in enumerate(secret)))
    made["fullwidth"] = "".join(chr(ord(c) + 65248) for c in secret)
    made["small caps"] = secret.translate(str.maketrans("abcdefghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ"))
    made["neg circled"] = "".join(chr(127312 + ord(c.upper()) - 65) if c.isalpha() else c for c in secret)
    made["neg squared"] = "".join(chr(127344 + ord(c.upper()) - 65) if c.isalpha() else c for c in secret)
    made["regional"] = "".join(chr(127462 + ord(c.upper()) - 65) + " " if c.isalpha() else c for c in secret)
    made["parenthesized"] = "".join(chr(9372 + ord(c.lower()) - 97) if c.isalpha() else c for c in secret)
    made["mono"] = "".join(
        chr(120432 + ord(c) - 65) if c.isupper() else chr(120458 + ord(c) - 97) if c.islower() else c for c in secret
    )
    made["script"] = "".join(
        chr(120016 + ord(c) - 65) if c.isupper() else chr(120042 + ord(c) - 97) if c.islower() else c for c in secret
    )
    made["underline comb"] = "".join(c + "̲" for c in secret)
    made["strike comb"] = "".join(c + "̶" for c in secret)
    made["keycap"] = "".join(c + "⃣" for c in secret)
    made["zalgo"] = "".join(c + "̖̀⃝" for c in secret)
    made["arabic digits"] = secret.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    made["devanagari digits"] = secret.translate(str.maketrans("0123456789", "०१२३४५६७८९"))
    made["cyr"] = secret.translate(str.maketrans("aceopxyKMHTB", "асеорхуКМНТВ"))
    made["greek"] = secret.translate(str.maketrans("oAZ", "οΑΖ"))
    made["en dash"] = secret.replace("-", "–")
    made["nb hyphen"] = secret.replace("-", "‑")
    made["slash"] = secret.replace("/", "∕")
    made["superscript"] = secret.translate(str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"))
    made["subscript"] = secret.translate(str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋"))
    made["dec list tab"] = "\t".join(str(c) for c in data)
    made["dec lines"] = "\n".join(str(c) for c in data)
    made["dec padded"] = " ".join("%03d" % c for c in data)
    made["dec concat"] = "".join("%03d" % c for c in data)
    made["dec signed"] = "[" + ", ".join("%+d" % c for c in data) + "]"
    made["oct 0"] = " ".join("0%o" % c for c in data)
    made["oct 0o"] = ", ".join("0o%o" % c for c in data)
    made["oct unp"] = " ".join("%o" % c for c in data)
    made["bin 0b"] = ", ".join(bin(c) for c in data)
    made["bin 7"] = " ".join(f"{c:07b}" for c in data)
    made["bin run"] = "".join(f"{c:08b}" for c in data)
    made["bin lsb"] = " ".join(f"{c:08b}"[::-1] for c in data)
    made["hex $"] = " ".join("$%02X" % c for c in data)
    made["hex h"] = " ".join("%02Xh" % c for c in data)
    made["hex &h"] = " ".join("&H%02X" % c for c in data)
    made["hex !"] = "".join("!%02X" % c for c in data)
    made["hex ="] = "".join("=%02X" % c for c in data)
    made["hex <>"] = "".join("<%02x>" % c for c in data)
    made["hex _x"] = "".join("_x%04X_" % c for c in data)
    made["hex #"] = "".join("#%02x" % c for c in data)
    made["hex ~"] = "".join("~%02x" % c for c in data)
    made["hex 16r"] = " ".join("16r%02X" % c for c in data)
    made["0x words"] = " ".join("0x" + data[i : i + 4].hex() for i in range(0, len(data), 4))
    made["hex json array"] = json.dumps(["%02x" % c for c in data])
    made["hex json 0x"] = json.dumps([hex(c) for c in data])
    made["hex lines"] = lines(data.hex(), 2)
    made["ldap"] = "".join("\\%02x" % c for c in data)
    made["css space"] = "".join("\\%x " % c for c in data)
    made["tex char"] = "".join("\\char%d " % c for c in data)
    made["tex char hex"] = "".join('\\char"%X ' % c for c in data)
    made["tex ^^"] = "".join("^^%02x" % c for c in data)
    made["tex symbol"] = "".join("\\symbol{%d}" % c for c in data)
    made["tex esc"] = secret.replace("_", "\\_").replace("/", "\\slash{}")
    made["tex textunderscore"] = secret.replace("_", "\\textunderscore{}")
    made["py N all"] = "".join("\\N{%s}" % unicodedata.name(c) for c in secret)
    made["html named"] = (
        secret.replace("-", "&hyphen;").replace("_", "&lowbar;").replace("/", "&sol;").replace("+", "&plus;")
    )
    made["html dec pad"] = "".join("&#0000%d;" % c for c in data)
    made["double html"] = "".join("&amp;#%d;" % c for c in data)
    made["mix pct"] = "".join(("%%%02X" % c if i % 2 else chr(c) for i, c in enumerate(data)))
    made["pct u"] = "".join("%%u%04x" % c for c in data)
    made["js u"] = "".join("\\u%04x" % c for c in data)
    made["json surrogate fw"] = json.dumps(made["fullwidth"])
    made["gz b64"] = base64.b64encode(gzip.compress(data))
    made["zlib b64url"] = base64.urlsafe_b64encode(zlib.compress(data)).rstrip(b"=")
    made["br b64"] = base64.b64encode(pa.compress(data, "brotli", asbytes=True))
    made["zstd b64"] = base64.b64encode(pa.compress(data, "zstd", asbytes=True))
    made["br hex"] = pa.compress(data, "brotli", asbytes=True).hex()
    made["deflate hex"] = zlib.compress(data, 9, -15).hex()
    made["gz b32"] = base64.b32encode(gzip.compress(data))
    made["gz a85"] = base64.a85encode(gzip.compress(data), adobe=True)
    made["gz b64 wrapped 76"] = base64.encodebytes(gzip.compress(b"abcdefghijklmnopqrstuvwxyz" * 3 + data))
    made["gz b64 wrapped 8"] = lines(base64.b64encode(gzip.compress(data)).decode(), 8, "\n  ")
    made["snappy b64"] = base64.b64encode(pa.compress(data, "snappy", asbytes=True))
    made["lz4raw b64"] = base64.b64encode(pa.compress(data, "lz4_raw", asbytes=True))
    made["msgpack str"] = b"\x81\xa1k" + mp(secret)
    return {name: one if isinstance(one, bytes) else one.encode("utf-8", "surrogatepass") for name, one in made.items()}
