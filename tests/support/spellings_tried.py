"""The 128 spellings of a secret that a stranger tried on the search."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import quopri
import tarfile
import zlib
from urllib.parse import quote

import pyarrow as pa


def tried(secret: str) -> dict[str, bytes]:
    """Write a secret in each of them."""
    made: dict[str, str | bytes] = {}

    def hd(s: str, w: int = 16, cols: bool = True) -> str:
        d = s.encode()
        out = []
        for i in range(0, len(d), w):
            c = d[i : i + w]
            out.append("%08x  %s  |%s|" % (i, c.hex(" "), c.decode() if cols else ""))
        return "\n".join(out)

    made["hexdump -C"] = hd("The key is " + secret)
    made["xxd"] = "\n".join(
        "%08x: %s  %s" % (i, ("xx " + secret).encode()[i : i + 16].hex(" ", 2), ("xx " + secret)[i : i + 16])
        for i in range(0, 28, 16)
    )
    made["xxd no ascii col"] = "\n".join(
        "%08x: %s" % (i, ("xx " + secret).encode()[i : i + 16].hex(" ", 2)) for i in range(0, 28, 16)
    )
    made["b85"] = base64.b85encode(secret.encode())
    made["a85"] = base64.a85encode(secret.encode(), adobe=True)
    made["uu"] = b"begin 644 k\n" + binascii.b2a_uu(secret.encode()) + b"`\nend\n"
    made["decimal list"] = json.dumps({"b": list(secret.encode())})
    made["decimal list spaced"] = " ".join(str(c) for c in secret.encode())
    made["octal list"] = " ".join("%03o" % c for c in secret.encode())
    made["binary"] = " ".join(f"{c:08b}" for c in secret.encode())
    made["utf-7"] = "".join("+" + base64.b64encode(c.encode("utf-16-be")).decode().rstrip("=") + "-" for c in secret)
    made["utf-7 run"] = "+" + base64.b64encode(secret.encode("utf-16-be")).decode().rstrip("=") + "-"
    made["css esc"] = "".join("\\%x " % ord(c) for c in secret)
    made["css esc6"] = "".join("\\%06x" % ord(c) for c in secret)
    made["concat"] = 'x = "%s" + "%s"' % (secret[:8], secret[8:])
    made["concat adj"] = 'x = "%s" "%s"' % (secret[:8], secret[8:])
    made["hash prefix"] = "# " + secret[:10] + "\n# " + secret[10:]
    made["slash prefix"] = "// " + secret[:10] + "\n// " + secret[10:]
    made["pipe prefix"] = "| " + secret[:10] + "\n| " + secret[10:]
    made["diff prefix"] = "+" + secret[:10] + "\n+" + secret[10:]
    made["star prefix"] = " * " + secret[:10] + "\n * " + secret[10:]
    made["lineno prefix"] = "1: " + secret[:10] + "\n2: " + secret[10:]
    made["cdata"] = "<a><![CDATA[" + secret + "]]></a>"
    made["cdata split"] = "<a><![CDATA[" + secret[:9] + "]]><![CDATA[" + secret[9:] + "]]></a>"
    made["comment long"] = secret[:9] + "<!-- " + "x" * 500 + " -->" + secret[9:]
    made["comment gt"] = secret[:9] + "<!-- a > b -->" + secret[9:]
    made["rfc2047 q"] = "=?utf-8?Q?" + secret[:9] + "?=\r\n =?utf-8?Q?" + secret[9:].replace("_", "=5F") + "?="
    made["rfc2047 b"] = (
        "=?utf-8?B?"
        + base64.b64encode(secret[:9].encode()).decode()
        + "?=\r\n =?utf-8?B?"
        + base64.b64encode(secret[9:].encode()).decode()
        + "?="
    )
    made["rfc2231"] = "filename*0*=utf-8''%s; filename*1*=%s" % (quote(secret[:9]), quote(secret[9:]))
    made["rfc2231 plain"] = 'filename*0="%s"; filename*1="%s"' % (secret[:9], secret[9:])
    made["chunked"] = b"9\r\n" + secret[:9].encode() + b"\r\n10\r\n" + secret[9:].encode() + b"\r\n0\r\n\r\n"
    made["multipart b64"] = (
        b"--x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(b"hello hello hello hello hello hello hello " * 2 + secret.encode())
        + b"--x--"
    )
    made["multipart qp"] = b"--x\r\n\r\n" + quopri.encodestring(("a" * 60 + secret).encode())
    made["event b64 pieces"] = "\n".join(
        "data: " + json.dumps({"bytes": base64.b64encode(json.dumps({"t": secret[i : i + 5]}).encode()).decode()})
        for i in range(0, 25, 5)
    )
    made["b64 per piece padded"] = "\n".join(
        "data: " + json.dumps({"bytes": base64.b64encode(secret[i : i + 4].encode()).decode()}) for i in range(0, 25, 4)
    )
    made["partial_json"] = "\n".join(
        "data: " + json.dumps({"delta": {"partial_json": p}})
        for p in ['{"k": "', secret[:5], secret[5:11], secret[11:], '"}']
    )
    made["partial_json esc"] = "\n".join(
        "data: " + json.dumps({"delta": {"partial_json": p}})
        for p in ['{"k": "', "\\u0067\\u00", "68u", secret[3:], '"}']
    )
    made["pieces w idx names"] = "\n".join("data: " + json.dumps({f"d{i}": secret[i : i + 4]}) for i in range(0, 25, 4))
    made["pieces other between"] = "\n".join(
        "data: " + json.dumps({"t": secret[i : i + 4], "t2": "x"}) for i in range(0, 25, 4)
    )
    made["pieces list"] = json.dumps({"tokens": list(secret)})
    made["pieces list nested"] = json.dumps({"tokens": [[c, 0.1] for c in secret]})
    made["pieces of numbers"] = json.dumps([{"token": c, "logprob": -0.1, "bytes": [ord(c)]} for c in secret])
    made["bytes only"] = json.dumps([{"logprob": -0.1, "bytes": [ord(c)]} for c in secret])
    made["token ids b64"] = json.dumps([{"b": base64.b64encode(c.encode()).decode()} for c in secret])
    made["pieces single quotes"] = "".join("{'t': '%s'}\n" % secret[i : i + 4] for i in range(0, 25, 4))
    made["xml pieces"] = "".join('<t v="%s"/>' % secret[i : i + 4] for i in range(0, 25, 4))
    made["yaml pieces"] = "".join("- t: %s\n" % secret[i : i + 4] for i in range(0, 25, 4))
    made["sse text pieces"] = "".join("data: %s\n\n" % secret[i : i + 4] for i in range(0, 25, 4))
    made["sse event text pieces"] = "".join("event: t\ndata: %s\n\n" % secret[i : i + 4] for i in range(0, 25, 4))
    made["pdf TJ"] = "[" + "".join("(%s)-20" % secret[i : i + 3] for i in range(0, 25, 3)) + "]TJ"
    made["pdf TJ hex"] = "[" + "".join("<%s>-20" % secret[i : i + 3].encode().hex() for i in range(0, 25, 3)) + "]TJ"
    made["gzip gzip"] = gzip.compress(gzip.compress(b"xx" + secret.encode()))
    made["gzip2members"] = gzip.compress(b"hello") + gzip.compress(secret.encode())
    x = secret.encode()
    for i in range(9):
        x = base64.b64encode(x)
    made["b64 x9"] = x
    x = secret.encode()
    for i in range(7):
        x = base64.b64encode(x)
    made["b64 x7"] = x
    x = secret.encode()
    for i in range(12):
        x = gzip.compress(x)
    made["gzip x12"] = x
    quoted = secret
    for _ in range(9):
        quoted = json.dumps(quoted)
    made["json x9"] = quoted
    made["quote x10"] = (lambda f: f(f, secret, 10))(
        lambda f, s, n: (
            s if n == 0 else f(f, "".join("%%%02x" % ord(c) for c in s) if n == 10 else s.replace("%", "%25"), n - 1)
        )
    )
    made["gz in json in b64 "] = base64.b64encode(
        json.dumps({"d": base64.b64encode(gzip.compress(secret.encode())).decode()}).encode()
    )
    made["url b64 quoted"] = quote(base64.b64encode(gzip.compress(("z" + secret).encode())), safe="")
    made["hex in json in gz in hex"] = gzip.compress(json.dumps({"x": secret.encode().hex()}).encode()).hex()
    made["b32"] = base64.b32encode(secret.encode())
    made["b32 lower"] = base64.b32encode(secret.encode()).lower()
    made["b32 wrapped"] = b"\n".join(base64.b32encode(secret.encode())[i : i + 10] for i in range(0, 40, 10))
    made["b32 dashed"] = b"-".join(base64.b32encode(secret.encode())[i : i + 4] for i in range(0, 40, 4))
    made["b36 b58"] = (
        lambda n: (lambda f: f(f, n))(
            lambda f, n: (
                "" if n == 0 else f(f, n // 58) + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[n % 58]
            )
        )
    )(int.from_bytes(secret.encode(), "big"))
    made["reversed"] = secret[::-1]
    made["rot13"] = __import__("codecs").encode(secret, "rot13")
    made["utf16 odd json"] = json.dumps(secret.encode("utf-16").decode("latin1"))
    made["utf16 cyr"] = ("ключ " + secret).encode("utf-16-le")
    made["utf-16 hex upper colons"] = secret.encode("utf-16-be").hex(":").upper()
    made["ebcdic"] = secret.encode("cp037")
    made["html no semicolon dec"] = "".join("&#%d" % ord(c) for c in secret)
    made["html mixed pad"] = "".join("&#%020d;" % ord(c) for c in secret)
    made["u+ notation"] = " ".join("U+%04X" % ord(c) for c in secret)
    made["perl x{}"] = "".join("\\x{%x}" % ord(c) for c in secret)
    made["ps backtick"] = "".join("`u{%x}" % ord(c) for c in secret)
    made["C octal 1-2 digit"] = "".join("\\%o" % ord(c) for c in secret)
    made["py N"] = "\\N{LATIN SMALL LETTER G}" + secret[1:]
    made["sql chr"] = "||".join("chr(%d)" % ord(c) for c in secret)
    made["js fromCharCode"] = "String.fromCharCode(%s)" % ",".join(str(ord(c)) for c in secret)
    made["int decimal"] = str(int.from_bytes(secret.encode(), "big"))
    made["int hex"] = hex(int.from_bytes(secret.encode(), "big"))
    made["bz2"] = bz2.compress(secret.encode())
    made["xz b64"] = base64.b64encode(lzma.compress(secret.encode()))
    made["lzma2 raw"] = lzma.compress(secret.encode(), format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2}])
    for c in ["zstd", "lz4", "brotli", "snappy", "lz4_raw"]:
        try:
            made["pa " + c] = pa.compress(("said: " + secret + " ok").encode(), c, asbytes=True)
        except Exception as e:
            print(c, e)
    made["deflate raw b64"] = base64.b64encode(zlib.compress(secret.encode(), 9, -15))
    made["zlib dict"] = (lambda o: o.compress(("a" + secret).encode()) + o.flush())(
        zlib.compressobj(zdict=b"foo bar foo bar")
    )
    bio = io.BytesIO()
    tf = tarfile.open(fileobj=bio, mode="w:gz")
    ti = tarfile.TarInfo("k")
    ti.size = 25
    tf.addfile(ti, io.BytesIO(secret.encode()))
    tf.close()
    made["tgz"] = bio.getvalue()
    made["nbsp"] = "\xa0".join(secret)
    made["zwj"] = "\u200d".join(secret)
    made["combining grapheme"] = "͏".join(secret)
    made["comb acute"] = "́".join(secret)
    made["hangul filler"] = "ㅤ".join(secret)
    made["tag chars"] = "".join(chr(917504 + ord(c)) for c in secret)
    made["math bold"] = "".join(
        chr(120276 + ord(c) - 65)
        if c.isupper()
        else chr(120302 + ord(c) - 97)
        if c.islower()
        else chr(120812 + ord(c) - 48)
        if c.isdigit()
        else c
        for c in secret
    )
    made["circled"] = "".join(
        chr(9398 + ord(c) - 65) if c.isupper() else chr(9424 + ord(c) - 97) if c.islower() else c for c in secret
    )
    made["superscript"] = secret.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    made["smallcaps-ish/homoglyph cyr"] = secret.replace("a", "а").replace("c", "с")
    made["backslash every char"] = "".join("\\" + c if not c.isalnum() else c for c in secret)
    made["md escaped"] = secret.replace("_", "\\_").replace("+", "\\+").replace(".", "\\.")
    made["braces between"] = "{" + "}{".join(secret) + "}"
    made["dots between"] = ".".join(secret)
    made["commas between"] = ",".join(secret)
    made["quotes between"] = "'" + "','".join(secret) + "'"
    made["parens"] = "(" + ")(".join(secret) + ")"
    made["dash between"] = "-".join(secret)
    made["slash between"] = "/".join(secret)
    made["pipe between"] = "|".join(secret)
    made["hash between"] = "#".join(secret)
    made["csv quoted lines"] = '"' + secret[:9] + '"\n"' + secret[9:] + '"'
    made["brotli no magic big"] = pa.compress(
        (" ".join((str(i) for i in range(300))) + secret).encode(), "brotli", asbytes=True
    )
    made["ansi between"] = "\x1b[1m".join(secret)
    made["backspace"] = "x\x08".join(secret)
    made["cr between"] = "\r".join(secret)
    made["vt"] = "\x0b".join(secret)
    made["soh"] = "\x01".join(secret)
    made["nul"] = "\x00".join(secret)
    made["c1 nel"] = "\x85".join(secret)
    made["ls"] = "\u2028".join(secret)
    made["overlong?"] = b"".join(bytes([192 | ord(c) >> 6, 128 | ord(c) & 63]) for c in secret)
    made["cesu fullwidth pct"] = quote("".join(chr(65248 + ord(c)) for c in secret))
    made["json surrogate bold"] = json.dumps(made["math bold"])
    return {name: one if isinstance(one, bytes) else one.encode("utf-8", "surrogatepass") for name, one in made.items()}
