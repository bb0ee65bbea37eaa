"""A secret as formats, dumps, streams and programs lay it out."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from urllib.parse import quote


def in_layouts(secret: str) -> dict[str, bytes]:
    """Write a secret compressed, in pieces, in dumps and between marks."""
    made: dict[str, str | bytes] = {}
    data = secret.encode()
    std = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    b58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    c45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

    def lines(d: str, w: int, e: str = "\n") -> str:
        return e.join(d[i : i + w] for i in range(0, len(d), w))

    def mp(s: str) -> bytes:
        b = s.encode()
        return (bytes([160 | len(b)]) if len(b) < 32 else b"\xd9" + bytes([len(b)])) + b

    def cb(s: str) -> bytes:
        b = s.encode()
        return (bytes([96 | len(b)]) if len(b) < 24 else b"x" + bytes([len(b)])) + b

    def nb(b: bytes, a: str) -> str:
        n = int.from_bytes(b, "big")
        o = ""
        while n:
            n, r = divmod(n, len(a))
            o = a[r] + o
        return o

    def b45(b: bytes) -> str:
        o = ""
        for i in range(0, len(b), 2):
            n = int.from_bytes(b[i : i + 2], "big")
            k = 3 if len(b[i : i + 2]) == 2 else 2
            for _ in range(k):
                n, r = divmod(n, 45)
                o += c45[r]
        return o

    made["msgpack pieces 4"] = bytes([144 | 8]) + b"".join(mp(secret[i : i + 4]) for i in range(0, 32, 4))
    made["msgpack chars"] = b"\xdc\x00" + bytes([len(secret)]) + b"".join(mp(c) for c in secret)
    made["cbor pieces 5"] = b"\x7f" + b"".join(cb(secret[i : i + 5]) for i in range(0, len(secret), 5)) + b"\xff"
    made["cbor chars"] = b"\x9f" + b"".join(cb(c) for c in secret) + b"\xff"
    made["cbor b64"] = base64.b64encode(b"\xa1ak" + cb(secret))
    made["cbor pieces 3"] = b"\x7f" + b"".join(cb(secret[i : i + 3]) for i in range(0, len(secret), 3)) + b"\xff"
    made["protobuf pieces"] = b"".join(
        b"\n" + bytes([len(secret[i : i + 6])]) + secret[i : i + 6].encode() for i in range(0, len(secret), 6)
    )
    made["len32 pieces"] = b"".join(
        struct.pack(">I", len(secret[i : i + 3])) + secret[i : i + 3].encode() for i in range(0, len(secret), 3)
    )
    made["json fields"] = json.dumps({"prefix": secret[:10], "middle": secret[10:20], "suffix": secret[20:]})
    made["json fields with other"] = json.dumps({"a": secret[:12], "note": "something else here", "b": secret[12:]})
    made["json fields swapped"] = json.dumps({"tail": secret[15:], "head": secret[:15]})
    made["sse idx"] = "".join(
        (
            "id: %d\ndata: %s\n\n" % (i, json.dumps({"i": i, "t": secret[j : j + 3], "ts": 1700000000 + i}))
            for i, j in enumerate(range(0, len(secret), 3))
        )
    )
    made["sse chars"] = "".join(
        "data: " + json.dumps({"id": "x", "choices": [{"delta": {"content": c}}]}) + "\n\n" for c in secret
    )
    made["sse sq 2"] = "".join(
        "{'id': 'x', 'delta': '%s', 'n': %d}\n" % (secret[j : j + 2], j) for j in range(0, len(secret), 2)
    )
    made["py list"] = repr(list(secret))
    made["py bytes pieces"] = repr([secret[i : i + 6].encode() for i in range(0, len(secret), 6)])
    made["js concat"] = "+".join("'%s'" % secret[i : i + 5] for i in range(0, len(secret), 5))
    made["template"] = "${'%s'}${'%s'}" % (secret[:9], secret[9:])
    made["xml elems"] = "".join("<c>%s</c>" % secret[i : i + 2] for i in range(0, len(secret), 2)).replace("&", "&amp;")
    made["xml attr chars"] = "".join(('<g u="%s" x="%d"/>' % (c, i * 7) for i, c in enumerate(secret)))
    made["svg tspan"] = "".join(('<tspan x="%d">%s</tspan>' % (i * 7, c) for i, c in enumerate(secret)))
    made["yaml"] = "".join("- text: %s\n  n: %d\n" % (secret[i : i + 4], i) for i in range(0, len(secret), 4))
    made["yaml list"] = "".join("- %s\n" % secret[i : i + 4] for i in range(0, len(secret), 4))
    made["toml"] = "".join('p%d = "%s"\n' % (i, secret[i : i + 4]) for i in range(0, len(secret), 4))
    made["csv col"] = "n,c,x\n" + "".join("%d,%s,foo\n" % (i, secret[i : i + 3]) for i in range(0, len(secret), 3))
    made["csv first"] = "".join("%s,%d\n" % (secret[i : i + 3], i) for i in range(0, len(secret), 3))
    made["csv last"] = "".join("%d,%s\n" % (i, secret[i : i + 3]) for i in range(0, len(secret), 3))
    made["tsv"] = "".join("%d\t%s\tfoo\n" % (i, secret[i : i + 2]) for i in range(0, len(secret), 2))
    made["md table"] = "| n | c |\n|---|---|\n" + "".join(
        "| %d | %s |\n" % (i, secret[i : i + 3]) for i in range(0, len(secret), 3)
    )
    made["query"] = "&".join(
        ("p%d=%s" % (i, quote(secret[j : j + 5], safe="")) for i, j in enumerate(range(0, len(secret), 5)))
    )
    made["headers"] = "".join(
        ("X-Part-%d: %s\r\n" % (i, secret[j : j + 6]) for i, j in enumerate(range(0, len(secret), 6)))
    )
    made["ini"] = "".join(("part%d=%s\n" % (i, secret[j : j + 4]) for i, j in enumerate(range(0, len(secret), 4))))
    made["log lines"] = "".join(
        (
            "2026-11-28T10:00:%02d INFO chunk=%s\n" % (i, secret[j : j + 4])
            for i, j in enumerate(range(0, len(secret), 4))
        )
    )
    made["od -x"] = "\n".join(
        "%07o %s"
        % (
            i,
            "".join(
                " %04x" % int.from_bytes(data[i : i + 16][j : j + 2], "little")
                for j in range(0, len(data[i : i + 16]), 2)
            ),
        )
        for i in range(0, len(data), 16)
    )
    made["od -c"] = "\n".join(
        "%07o %s" % (i, "".join("   " + c for c in secret[i : i + 16])) for i in range(0, len(secret), 16)
    )
    made["od -b"] = "\n".join(
        "%07o %s" % (i, "".join(" %03o" % c for c in data[i : i + 16])) for i in range(0, len(data), 16)
    )
    made["od octal words"] = "\n".join(
        "%07o %s"
        % (
            i,
            "".join(
                " %06o" % int.from_bytes(data[i : i + 16][j : j + 2], "little")
                for j in range(0, len(data[i : i + 16]), 2)
            ),
        )
        for i in range(0, len(data), 16)
    )
    made["od -t u1"] = "\n".join(
        "%07o %s" % (i, "".join(" %3d" % c for c in data[i : i + 16])) for i in range(0, len(data), 16)
    )
    made["od -t x4"] = "\n".join(
        "%07o %s"
        % (
            i,
            "".join(
                " %08x" % int.from_bytes(data[i : i + 16][j : j + 4], "little")
                for j in range(0, len(data[i : i + 16]), 4)
            ),
        )
        for i in range(0, len(data), 16)
    )
    made["od -t d2"] = "\n".join(
        "%07o %s"
        % (
            i,
            "".join(
                " %6d" % int.from_bytes(data[i : i + 16][j : j + 2], "little")
                for j in range(0, len(data[i : i + 16]), 2)
            ),
        )
        for i in range(0, len(data), 16)
    )
    made["xxd -b"] = "\n".join(
        "%08x: %s  %s" % (i, " ".join(f"{c:08b}" for c in data[i : i + 6]), secret[i : i + 6])
        for i in range(0, len(data), 6)
    )
    made["xxd -i"] = (
        "unsigned char k[] = {\n"
        + ",\n".join("  " + ", ".join("0x%02x" % c for c in data[i : i + 12]) for i in range(0, len(data), 12))
        + "\n};"
    )
    made["xxd -p"] = lines(data.hex(), 60)
    made["xxd -e"] = "\n".join(
        "%08x: %s  %s"
        % (
            i,
            " ".join(
                "%08x" % int.from_bytes(data[i : i + 16][j : j + 4], "little")
                for j in range(0, len(data[i : i + 16]), 4)
            ),
            secret[i : i + 16],
        )
        for i in range(0, len(data), 16)
    )
    made["wireshark"] = "\n".join(
        "%04x   %s   %s" % (i, data[i : i + 16].hex(" "), secret[i : i + 16]) for i in range(0, len(data), 16)
    )
    made["u16 ints"] = json.dumps(list(struct.unpack(f"<{len(data) // 2}H", data[: len(data) // 2 * 2])))
    made["u32 ints"] = json.dumps(list(struct.unpack(f">{len(data) // 4}I", data[: len(data) // 4 * 4])))
    made["u32le hex"] = " ".join(hex(x) for x in struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))
    made["u64 ints"] = json.dumps(list(struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])))
    made["floats"] = json.dumps([float(c) for c in data])
    made["nulls"] = "\x00".join(secret)
    made["nul nul"] = "\x00\x00".join(secret)
    made["b58"] = nb(data, b58)
    made["b58check"] = nb(b"\x80" + data + b"abcd", b58)
    made["b58 of json"] = nb(json.dumps({"k": secret}).encode(), b58)
    made["b36"] = nb(data, "0123456789abcdefghijklmnopqrstuvwxyz").upper()
    made["b62"] = nb(data, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    made["b62b"] = nb(data, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    made["int"] = str(int.from_bytes(data, "big"))
    made["int le"] = str(int.from_bytes(data, "little"))
    made["int json"] = str(int.from_bytes(b"key " + data, "big"))
    made["b45"] = b45(data)
    made["b45 ctx"] = "HC1:" + b45(zlib.compress(data))
    made["b45 ctx2"] = b45(b"xkey:" + data)
    made["yenc"] = bytes((c + 42) % 256 for c in data)
    made["ebcdic ctx"] = ("key " + secret).encode("cp500")
    made["ebcdic b64"] = base64.b64encode(secret.encode("cp037"))
    made["bcrypt64"] = (
        base64.b64encode(data)
        .decode()
        .rstrip("=")
        .translate(str.maketrans(std, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))
    )
    made["modhex"] = data.hex().translate(str.maketrans("0123456789abcdef", "cbdefghijklnrtuv"))
    made["netbios"] = "".join(chr(65 + (c >> 4)) + chr(65 + (c & 15)) for c in data)
    made["swapped case b64"] = base64.b64encode(data).swapcase()
    made["b64 spaced"] = " ".join(base64.b64encode(data).decode())
    made["b64 dashed"] = lines(base64.b64encode(data).decode(), 4, "-")
    made["b64 per char"] = " ".join(base64.b64encode(c.encode()).decode() for c in secret)
    made["b64 per 2"] = json.dumps(
        [base64.b64encode(secret[i : i + 2].encode()).decode() for i in range(0, len(secret), 2)]
    )
    made["b64 per 5"] = json.dumps(
        [base64.b64encode(secret[i : i + 5].encode()).decode() for i in range(0, len(secret), 5)]
    )
    made["hex per 3 json"] = json.dumps({f"h{i}": secret[i : i + 3].encode().hex() for i in range(0, len(secret), 3)})
    made["backticks"] = "`" + "` `".join(secret[i : i + 5] for i in range(0, len(secret), 5)) + "`"
    made["nroff bold"] = "".join(c + "\x08" + c for c in secret)
    made["underscored nroff"] = "".join("_\x08" + c for c in secret)
    made["osc8"] = "\x1b]8;;http://x\x1b\\" + secret[:9] + "\x1b]8;;\x1b\\" + secret[9:]
    made["ansi sgr"] = "".join(("\x1b[38;5;%dm%s" % (i, c) for i, c in enumerate(secret)))
    made["rtl override"] = "\u202e" + secret[::-1]
    made["bidi"] = "\u2066" + secret[:9] + "\u2069" + secret[9:]
    made["vs15"] = "︎".join(secret)
    made["tags+"] = "hello" + "".join(chr(917504 + ord(c)) for c in secret)
    made["braille blank"] = "⠀".join(secret)
    made["cgj"] = "͏".join(secret)
    made["mime q"] = "=?utf-8?q?" + "".join("=%02X" % c for c in data) + "?="
    made["mime b folded"] = (
        "=?utf-8?B?"
        + base64.b64encode(data[:12]).decode()
        + "?=\n =?utf-8?B?"
        + base64.b64encode(data[12:]).decode()
        + "?="
    )
    made["every 2nd"] = "".join((a + b for a, b in zip(secret, "qwertyuiopasdfghjklzxcvbnmqwertyuiop")))
    made["2 cols"] = "\n".join((a + " " + b for a, b in zip(secret[::2], secret[1::2] + " ")))
    made["swap pairs"] = "".join(secret[i + 1 : i + 2] + secret[i] for i in range(0, len(secret), 2))
    made["swap pairs in text"] = (lambda s: "".join(s[i + 1 : i + 2] + s[i] for i in range(0, len(s), 2)))(
        "the key is " + secret + " ok"
    )
    made["punycode"] = "xn--" + ("ü" + secret.lower()).encode("punycode").decode()
    made["idna"] = "xn--" + secret.lower() + "-kva"
    made["titlecase"] = secret.title()
    made["sarcasm"] = "".join((c.upper() if i % 2 else c.lower() for i, c in enumerate(secret)))
    made["hyphenated break"] = secret[:12] + "-\n" + secret[12:]
    made["md link"] = "[" + secret[:10] + "](" + "http://x/" + ")" + secret[10:]
    made["footnote"] = secret[:10] + "[^1]" + secret[10:]
    made["md code break"] = "```\n" + secret[:10] + "\n```\n```\n" + secret[10:] + "\n```"
    made["rst"] = "``" + secret[:10] + "``\\ ``" + secret[10:] + "``"
    made["line cont"] = secret[:10] + "\\\n" + secret[10:]
    made["vb cont"] = '"' + secret[:10] + '" & _\n"' + secret[10:] + '"'
    made["php ."] = "'" + secret[:10] + "' . '" + secret[10:] + "'"
    made["printf"] = 'printf("%s%s", "' + secret[:10] + '", "' + secret[10:] + '")'
    made["f-string"] = 'a="' + secret[:10] + '"; b="' + secret[10:] + '"; key=a+b'
    return {name: one if isinstance(one, bytes) else one.encode("utf-8", "surrogatepass") for name, one in made.items()}
