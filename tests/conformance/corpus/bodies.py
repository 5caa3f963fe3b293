"""Bodies: how they are parsed, and what the fields of the config and of the coupon code make of them.

Each request has a key of its own, so a change concerns no other one. `sequences.py` has what is read later.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.corpus.cases import (
    CHANNELS,
    CONFIG,
    COUPON,
    EARNOUTS,
    FORM,
    INFO,
    JSON,
    MULTIPART,
    Case,
    Table,
    listed_cases,
    table_cases,
    with_body,
    with_own_key,
)
from tests.conformance.wire import HOST, KEY, Request

EMAIL = "paypal_payout_email"

# --- JSON ---------------------------------------------------------------------------------------------

DEEP = b"[" * 100 + b"]" * 100
DOCUMENTS: Table[bytes] = {
    "patch of nothing": (
        200,
        (
            b"",
            b"{}",
            b" \t\r\n{ } \n",
            b'{"unknown":1}',
            b'{"Mode":"bogus"}',
            b'{"id":"x","created_at":[],"credits_earned":null,"":1}',
            b'{"referral_code":"\\ud800"}',
            b'{"\\ud800":1,"\\u0000":2}',
            b'{"unknown":' + DEEP + b"}",
            b'{"unknown":1e400}',
            b'{"unknown":-0}',
            b"{}\xc3",  # a character that is cut off at the end
            b"{}\xe2\x82",
            b"{}\xf0\x9f\x98",
        ),
    ),
    "patch with what is not JSON": (
        400,
        (
            b"{",
            b"}",
            b"[",
            b'{"mode"}',
            b'{"mode":}',
            b'{"mode":"credits",}',
            b'{"mode":"credits"',
            b'{"mode":"credits',
            b"{'mode':'credits'}",
            b"{mode:1}",
            b'{"mode" "credits"}',
            b'{"mode":"credits" "a":1}',
            b'{"mode":"a\nb"}',
            b'{"mode":"\x00"}',
            b'{"mode":"\\x"}',
            b'{"mode":"\\u12"}',
            b'{"mode":"\\"}',
            b'{"mode":01}',
            b'{"mode":1.}',
            b'{"mode":.5}',
            b'{"mode":+1}',
            b'{"mode":0x1}',
            b'{"mode":-}',
            b'{"mode":True}',
            b'{"mode":nul}',
            b'{"mode":undefined}',
            b"{} {}",
            b"{}x",
            b"{}\x00",
            b"{}\xc2\xa0",
            b"\x00",
            b" ",
            b"\n\n",
            b"x",
            b"mode=credits",
            b"<mode>credits</mode>",
            b"// x\n{}",
            b'\n{"mode":\n  x}',
            b'{"\xc3\xa9":\xc3\xa9}',
        ),
    ),
    "patch with numbers that JSON does not have": (
        400,
        (
            b'{"mode":NaN}',
            b'{"unknown":Infinity}',
            b"-Infinity",
            b"NaN",
            b"[NaN]",
            b'{"unknown":' + b"9" * 4301 + b"}",
        ),
    ),
    "patch with another charset's bytes": (
        400,
        (
            b"\xff",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\x00}\x00",
            b"\xfe\xff\x00{\x00}",
            b"{\x00}\x00",
            b'{"mode":"\xff"}',
            b'{"mode":"\xe9t\xe9"}',
            b'{"mode":"\xc3"}',
            b'{"mode":"\xed\xa0\x80"}',
            b'{"mode":"\xc0\x80"}',
            b'{"mode":"\xf4\x90\x80\x80"}',
            b"{}\xff",
            b'{"\xc3\xa9":"\xc3\xa9\xff"}',
        ),
    ),
    "patch that is no object": (
        400,
        (
            b"null",
            b"[]",
            b"[{}]",
            b'[{"mode":"credits"}]',
            b"0",
            b"1",
            b"-1.5",
            b"1e400",
            b"true",
            b"false",
            b'""',
            b'"mode"',
            b'"\\ud800"',
            DEEP,
        ),
    ),
}

VALUES: Table[bytes] = {
    "mode": (
        200,
        (
            b'{"mode":"payout"}',
            b'{"mode":"credits"}',
            b'{"mode":"bogus","mode":"credits"}',
            b'{"mo\\u0064e":"\\u0063redits"}',
            b'{"mode":"payout","unknown":"x"}',
            b'{"mode":"credits","paypal_payout_email":null}',
        ),
    ),
    "wrong mode": (
        400,
        (
            b'{"mode":"bogus"}',
            b'{"mode":"credit"}',
            b'{"mode":"Payout"}',
            b'{"mode":" payout"}',
            b'{"mode":"payout "}',
            b'{"mode":""}',
            b'{"mode":" "}',
            b'{"mode":null}',
            b'{"mode":true}',
            b'{"mode":false}',
            b'{"mode":0}',
            b'{"mode":-0}',
            b'{"mode":-0.0}',
            b'{"mode":1.0}',
            b'{"mode":1e2}',
            b'{"mode":1E+16}',
            b'{"mode":1e-7}',
            b'{"mode":0.1}',
            b'{"mode":1e400}',
            b'{"mode":-1e400}',
            b'{"mode":123456789012345678901234567890}',
            b'{"mode":' + b"9" * 4300 + b"}",
            b'{"mode":[]}',
            b'{"mode":{}}',
            b'{"mode":["payout"]}',
            b'{"mode":{"a":"b\'c","d":[1,2.50,null,true]}}',
            b'{"mode":["\\"","\'","\\"\'","\\\\","\\n","\\u00e9","\\u2028","\\u0000"]}',
            b'{"mode":["\\ud800"]}',
            b'{"mode":"credits","mode":"bogus"}',
            b'{"mode":"\\u0000"}',
            b'{"mode":"<b>\\u00e9\\u2028\\ud83d\\ude00\\"\\\\"}',
            b'{"mode":"pay\\nout"}',
            b'{"mode":"%s %(input)s {input} {0}"}',
            b'{"mode":"' + b"x" * 3000 + b'"}',
        ),
    ),
    "several wrong fields are in order": (
        400,
        (
            b'{"paypal_payout_email":"x","mode":"x"}',
            b'{"mode":null,"paypal_payout_email":""}',
            b'{"paypal_payout_email":[],"mode":[]}',
            b'{"mode":"payout","paypal_payout_email":"x"}',
            b'{"mode":"x","paypal_payout_email":null}',
            b'{"mode":"x","paypal_payout_email":"a@example.com"}',
        ),
    ),
    "payout mode without an address": (
        400,
        (
            b'{"paypal_payout_email":null}',
            b'{"mode":"payout","paypal_payout_email":null}',
            b'{"paypal_payout_email":null,"mode":"payout"}',
            b'{"paypal_payout_email":"a@example.com","paypal_payout_email":null}',
        ),
    ),
    "address of a wrong type": (
        400,
        (
            *(b'{"paypal_payout_email":%s}' % value for value in (b"true", b"false", b"[]", b"{}")),
            b'{"paypal_payout_email":["a@example.com"]}',
            b'{"paypal_payout_email":{"a":"a@example.com"}}',
            b'{"paypal_payout_email":0}',
            b'{"paypal_payout_email":1.5}',
            b'{"paypal_payout_email":1e400}',
        ),
    ),
}

LABEL = "a" * 63
EMAILS: Table[str] = {
    "address": (
        200,
        (
            "a@example.com",
            "A.B@EXAMPLE.COM",
            "  a@example.com\\n",
            "\\u00a0a@example.com\\u3000",
            "\\u001fa@example.com\\u001c",
            "a+b-c_d.e@example.com",
            "!#$%&'*+/=?^_`{|}~-@example.com",
            "1@1.co",
            "a@localhost",
            "a@b.cc",
            "a@a-b.cc",
            "a@xn--bcher-kva.example",
            "a@b\\u00fccher.example",
            "a@example.\\u4e2d\\u56fd",
            "a@example.xn--fiqs8s",
            "a@\\u4e2d.cc",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@[2001:DB8::1]",
            "a@[::ffff:1.2.3.4]",
            '\\"a\\"@example.com',
            '\\"a.b!#x\\"@example.com',
            '\\"\\"@example.com',
            '\\"\\\\\\"\\"@example.com',
            '\\"\\\\ \\"@example.com',
            '\\"\\u0001\\u001f\\u007f\\"@example.com',
            '\\"\\\\@\\"@example.com',
            '\\"@\\"@example.com',
            f"a@{LABEL}.com",
            f"a@b.{LABEL}",
            f"{'a' * 242}@example.com",
            f"{'a' * 100}@{LABEL}.{LABEL}.{'b' * 20}.com",
            f"  {'a' * 242}@example.com  ",
            "a@example.com\\u200b",
            "\\u212a@example.com",  # the Kelvin sign is a K in any case
            "\\u017f@example.com",  # and the long s an S
            "\\u0131@example.com",  # as is the dotless i an I, for a regular expression
        ),
    ),
    "no address": (
        400,
        (
            "",
            " ",
            "\\u3000\\n",
            "x",
            "@",
            "a@",
            "@example.com",
            "a@b",
            "a@b.c",
            "a@example",
            "a@example.com.",
            "a@.com",
            "a@example..com",
            "a@-example.com",
            "a@example-.com",
            "a@example.-com",
            "a@example.com-",
            "a@exa_mple.com",
            "a@example.c1",
            "a@example.1com",
            "a@example.123",
            "a@1.2.3.4",
            "a@LOCALHOST",
            "a@localhost.",
            "a@xn--a.xn--",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a b@example.com",
            "a@ example.com",
            "a @example.com",
            "a@b@example.com",
            "a@example.com\\nb",
            "a\\n@example.com",
            "a,b@example.com",
            "a@example.com,b@example.com",
            "a;b@example.com",
            "<a@example.com>",
            "A <a@example.com>",
            "a(b)@example.com",
            "a@example.com(b)",
            "mailto:a@example.com",
            "a[b]@example.com",
            "a\\\\b@example.com",
            "\\u00e9@example.com",
            "\\u4e2d@example.com",
            "\\ud83d\\ude00@example.com",
            "a@\\ud83d\\ude00.com",
            "a\\uff20example.com",
            "a@example\\u3002com",
            '\\"a@example.com',
            '\\"a\\"b@example.com',
            '\\"a b\\"@example.com',
            '\\"a\\\\\\"@example.com',
            '\\"\\u00e9\\"@example.com',
            '\\"\\\\\\n\\"@example.com',
            "a@[127.0.0.1",
            "a@127.0.0.1]",
            "a@[256.0.0.1]",
            "a@[127.0.0.01]",
            "a@[1]",
            "a@[]",
            "a@[::g]",
            "a@[IPv6:::1]",
            "a@[fe80::1%eth0]",
            "a@[127.0.0.1]x",
            f"a@{LABEL}a.com",
            f"a@b.{LABEL}a",
            f"a@{LABEL}-.com",
            "%s@%(value)s",
        ),
    ),
    "address that is too long": (
        400,
        (
            f"{'a' * 243}@example.com",
            f"{'a' * 308}@example.com",
            f"{'a' * 309}@example.com",
            "x" * 254,
            "x" * 255,
            "x" * 1000,
            "\\ud83d\\ude00" * 254,
            "\\ud83d\\ude00" * 255,
            "a" * 300 + "\\u0000",
        ),
    ),
    "address with what a text must not have": (
        400,
        (
            "\\u0000",
            "a\\u0000@example.com",
            "a@example.com\\u0000",
            " \\u0000 ",
            "\\ud800",
            "\\udfff@example.com",
            "a@example.com\\udc00\\ud800",
            "\\ud800\\u0000",
            "\\u0000\\ud800" + "a" * 300,
        ),
    ),
}

CODES: Table[bytes] = {
    "coupon code": (
        200,
        (
            b'{"code":"WELCOME"}',
            b'{"code":"welcome"}',
            b'{"code":" wELCOME\\t\\n"}',
            b'{"code":"\\u00a0welcome\\u3000"}',
            b'{"code":"SUMMER-2022","unknown":1,"promo_type":"x"}',
            b'{"code":12345}',
            b'{"code":"nothing","code":"welcome"}',
            b'{"code":"' + b"X" * 100 + b'"}',
            b'{"code":"  ' + b"x" * 100 + b'  "}',
            '{"code":"äpfel \\"50%\\" \\\\ <&>"}'.encode(),
            b'{"code":"welcome"}\xc3',
        ),
    ),
    "unknown coupon code": (
        400,
        (
            b'{"code":"nothing"}',
            b'{"code":"WELCOME2"}',
            b'{"code":"WEL COME"}',
            b'{"code":"x"}',
            b'{"code":"%"}',
            b'{"code":"WELCOM_"}',
            b'{"code":"zxjp2vd2r8vv"}',
            b'{"code":"FOREIGN"}',
            b'{"code":0}',
            b'{"code":12345.0}',
            b'{"code":1e400}',
            b'{"code":-1}',
            b'{"code":"None"}',
            b'{"code":"' + b"x" * 99 + b'"}',
            '{"code":"\U0001f600"}'.encode(),
            b'{"code":"wel\\u200bcome"}',
        ),
    ),
    "coupon code of the caller": (
        400,
        (
            b'{"code":"SPRING"}',
            b'{"code":" spring "}',
            b'{"code":"Unused"}',
            '{"code":"süd \\"10%\\" \\\\ \u2028 <&>"}'.encode(),
        ),
    ),
    "coupon code that cannot be applied": (
        400,
        tuple(
            b'{"code":"%s"}' % code
            for code in (
                b"inactive",
                b"INACTIVE",
                b"expired",
                b"redeemed",
                b"inactive expired redeemed",
                b"inactive redeemed",
                b"Expired Redeemed",
            )
        ),
    ),
    "coupon code of a wrong type": (
        400,
        (
            b"",
            b"{}",
            b'{"Code":"WELCOME"}',
            b'{"code":null}',
            b'{"code":true}',
            b'{"code":false}',
            b'{"code":[]}',
            b'{"code":["WELCOME"]}',
            b'{"code":{"code":"WELCOME"}}',
            b'{"code":{}}',
            b"null",
            b"[]",
            b'["WELCOME"]',
            b'"WELCOME"',
            b"12345",
            b"false",
            b"0",
            b"1.5",
        ),
    ),
    "coupon code that is no text": (
        400,
        (
            b'{"code":""}',
            b'{"code":" "}',
            b'{"code":"\\u3000\\u001c\\n"}',
            b'{"code":"\\u0000"}',
            b'{"code":"WELCOME\\u0000"}',
            b'{"code":"\\ud800"}',
            b'{"code":"a\\udfff\\ud800"}',
            b'{"code":"\\u0000\\ud800"}',
            b'{"code":"' + b"x" * 101 + b'"}',
            b'{"code":"' + b"x" * 5000 + b'"}',
            b'{"code":"' + b"x" * 101 + b'\\u0000"}',
            b'{"code":' + b"9" * 101 + b"}",
            b'{"code":"' + b"\\ud83d\\ude00" * 101 + b'"}',
        ),
    ),
    "coupon code that is not JSON": (
        400,
        (b"{", b"\xef\xbb\xbf{}", b"\xff", b'{"code":NaN}', b"x", b'{"code":"a\tb"}', b'{"code":"WELCOME"}x'),
    ),
}

# --- Types --------------------------------------------------------------------------------------------

UTF16 = '{"mode":"crédits"}'.encode("utf-16")
TYPES: tuple[tuple[int, str | None, bytes], ...] = (
    # JSON, however its type is written
    *(
        (200, kind, b'{"mode":"credits"}')
        for kind in (
            "application/json",
            "APPLICATION/Json",
            "application/json;",
            "application/json; charset=utf-8",
            "application/json;charset=UTF8",
            'application/json; charset="utf-8"',
            "application/json; charset=latin-1",
            "application/json; charset=bogus",
            "application/json; charset=",
            "application/json; a=b; c",
            "application/json ; indent=4",
            "*/*",
            "application/*",
            "*/json",
        )
    ),
    (200, "application/json; charset=utf-8-sig", b'\xef\xbb\xbf{"mode":"credits"}'),
    (200, "application/json; charset=utf-16", '{"mode":"credits"}'.encode("utf-16")),
    (200, "application/json; charset=utf-16-le", '{"mode":"credits"}'.encode("utf-16-le")),
    (200, "application/json; charset=utf-7", b'{"mode":"credits"}'),
    (400, "application/json; charset=utf-16", UTF16),
    (400, "application/json; charset=utf-16", b"{"),
    (400, "application/json; charset=utf-16", b"{}"),
    (400, "application/json; charset=utf-8", UTF16),
    (400, "application/json; charset=latin-1", b'{"mode":"\xe9"}'),
    (400, "application/json; charset=latin-1", b"\xef\xbb\xbf{}"),
    (400, "application/json; charset=cp1252", b'{"mode":"\x80"}'),
    (400, "application/json; charset=cp1252", b'{"mode":"\x81"}'),
    (400, "application/json; charset=ascii", b'{"mode":"\xc3\xa9"}'),
    (400, "application/json; charset=koi8-r", b'{"mode":"\xc1"}'),
    (400, "application/json; charset=gbk", b'{"mode":"\xff"}'),
    (400, "application/json; charset=bogus", b'{"mode":"\xc3\xa9"}'),
    # codecs that are none of texts
    *(
        (400, f"application/json; charset={charset}", b'{"mode":"credits"}')
        for charset in ("base64", "hex", "rot13", "zlib", "bz2", "quopri", "uu")
    ),
    (400, "application/x-www-form-urlencoded; charset=hex", b"mode=credits"),
    (400, "multipart/form-data; boundary=B; charset=base64", b"--B--"),
    # no type that is known
    *(
        (415, kind, b'{"mode":"credits"}')
        for kind in (
            None,
            "",
            "*",
            "json",
            "text/plain",
            "text/json",
            "text/plain; charset=utf-8",
            "application/jsonp",
            "application/vnd.api+json",
            "application/json+x",
            "application/merge-patch+json",
            "application/xml",
            "application/octet-stream",
            "application/json, text/plain",
            "application/json text/plain",
            "application / json",
            "application/ json",
            "application",
            "application/",
            "/json",
            "/",
            ";",
            "; charset=utf-8",
            '"application/json"',
            "multipart/mixed; boundary=B",
            "text/\xe9",
            "\xff",
            'a"b\\c',
            "<b>&",
            "text/*",
            "x" * 300,
        )
    ),
    (415, None, b"{"),
    (415, "text/csv", b"\x00\xff"),
    # Without a body no type matters.
    *(
        (200, kind, b"")
        for kind in (None, "", "text/plain", "\xff", JSON, FORM, MULTIPART, "multipart/form-data")
    ),
    (200, "application/json; charset=hex", b""),
)

# --- Forms --------------------------------------------------------------------------------------------

FORMS: Table[bytes] = {
    "form": (
        200,
        (
            b"mode=credits",
            b"mode=credits&",
            b"&&mode=credits",
            b"mode=bogus&mode=credits",
            b"mod%65=credit%73",
            b"a=b",
            b"a",
            b"=",
            b"&",
            b" ",
            b"\xff",
            b"%FF=%FF&%zz",
            b"\x00",
            b"{}",
            b'{"mode":"bogus"}',
            b"Mode=bogus",
            b"mode%20=bogus",
            b" mode=bogus",
            b"mode[]=bogus",
            b"mode=credits&paypal_payout_email=",
            b"mode=credits&paypal_payout_email",
            b"paypal_payout_email=a%40example.com",
            b"paypal_payout_email=a@example.com",
            b"paypal_payout_email=+a@example.com+",
            b"paypal_payout_email=a%2Bb@example.com",
            b"paypal_payout_email=a%40b%C3%BCcher.example",
            b"paypal_payout_email=a@b\xc3\xbccher.example",
            b"paypal_payout_email=a@b\xfccher.example",
            b"paypal_payout_email=x&paypal_payout_email=a@example.com",
            b"&".join(b"a" for _ in range(999)),
        ),
    ),
    "wrong form": (
        400,
        (
            b"mode=bogus",
            b"mode=",
            b"mode",
            b"mode=+",
            b"mode=credits+",
            b"mode=null",
            b"mode=credits&mode=",
            b"mode=credits;a=b",
            b"mode=credits\r\n",
            b"mode=%00",
            b"mode=%FF",
            b"mode=\xff",
            b"mode=%C3%A9",
            b"mode=\xc3\xa9\xff",
            b"mode=%ED%A0%80",
            b"mode=a%E2%80%A8b",
            b"mode=%zz%",
            b"mode=a=b",
            b"mode=x&paypal_payout_email=x",
            b"paypal_payout_email=",
            b"paypal_payout_email",
            b"paypal_payout_email=+",
            b"paypal_payout_email=x",
            b"paypal_payout_email=null",
            b"paypal_payout_email=a+b@example.com",
            b"paypal_payout_email=%00",
            b"paypal_payout_email=%FF@example.com",
            b"mode=payout&paypal_payout_email=",
            b"mode=bogus&paypal_payout_email=",
        ),
    ),
    "form with too many fields": (400, (b"&" * 1000, b"a=1&" * 1001 + b"mode=credits")),
}
FORM_CHARSETS: tuple[tuple[int, str, bytes], ...] = (
    (200, "latin-1", b"paypal_payout_email=a%40b%FCcher.example"),
    (200, "latin-1", b"paypal_payout_email=%A0a@example.com"),
    (200, "bogus", b"mode=credits"),
    (200, "utf-16", b"mode=credits"),
    (400, "latin-1", b"mode=%E9"),
    (400, "latin-1", b"mode=\xe9"),
    (400, "cp1252", b"mode=%80%81"),
    (400, "koi8-r", b"mode=%C1"),
    (400, "ascii", b"mode=%E9"),
    (400, "utf-8-sig", b"mode=%EF%BB%BFx"),
    (400, "bogus", b"mode=%C3%A9"),
)
CODE_FORMS: Table[bytes] = {
    "form of a coupon code": (
        200,
        (b"code=WELCOME", b"code=+welcome+", b"code=x&code=12345", b"code=%C3%A4pfel+%2250%%22+%5C+<%26>"),
    ),
    "wrong form of a coupon code": (
        400,
        (
            b"",
            b"a=b",
            b"code=",
            b"code",
            b"code=+",
            b"code=WELCOME&code=",
            b"code=%00",
            b"code=nothing",
            b"code=spring",
            b"code=" + b"x" * 101,
            b"code=%FF",
            b"&code",
        ),
    ),
}

# --- Multipart ----------------------------------------------------------------------------------------


def _part(name: str, value: bytes, *more: str, disposition: str = "") -> bytes:
    """Return a part with a boundary `B` before it, for a field or with another disposition."""
    shown = disposition or f'form-data; name="{name}"'
    head = "\r\n".join(("--B", f"Content-Disposition: {shown}", *more, "", ""))
    return head.encode("latin-1") + value + b"\r\n"


END = b"--B--\r\n"
MODE = _part("mode", b"credits")
FILE = 'form-data; name="mode"; filename="%s"'
MULTIPARTS: Table[bytes] = {
    "multipart": (
        200,
        (
            MODE + END,
            MODE + b"--B--",
            MODE[:-2],
            b"preamble\r\n" + MODE + END + b"epilogue",
            _part("mode", b"bogus") + MODE + END,
            _part("a", b"b") + END,
            _part("Mode", b"bogus") + END,
            _part(" mode ", b"credits") + END,
            _part("mode", b"credits", "Content-Type: text/plain") + END,
            _part("mode", b"credits", "Content-Type: text/plain; charset=utf-16") + END,
            _part("mode", b"credits", "X: y") + END,
            _part("mode", b"Y3JlZGl0cw==", "Content-Transfer-Encoding: base64") + END,
            _part("mode", b"Y3Jl\r\nZGl0cw==", "Content-Transfer-Encoding: base64") + END,
            _part("mode", b"credits", "Content-Transfer-Encoding: 8bit") + END,
            _part("mode", b"credits", disposition="form-data; name=mode") + END,
            _part("mode", b"credits", disposition="FORM-DATA; NAME=mode") + END,
            _part("mode", b"credits", disposition="form-data; name*=utf-8''mode") + END,
            MODE.replace(b"Content-Disposition", b"content-disposition") + END,
            MODE + _part(EMAIL, b"") + END,
            _part(EMAIL, b" a@example.com ") + END,
            _part(EMAIL, "a@bücher.example".encode()) + END,
            _part("mode", b"bogus", disposition="attachment; filename=x") + END,
            _part("mode", b"bogus", disposition="form-data") + END,
            _part("mode", b"bogus", disposition='form-data; name=""') + END,
            b"--B\r\n\r\nbogus\r\n" + END,
            b"--B\r\nX: y\r\n\r\nbogus\r\n" + END,
            b"--B\r\nContent-Disposition: form-data; name=mode\r\nbogus\r\n" + END,
            MODE.replace(b"\r\n", b"\n") + b"--B--\n",
            END,
            b"--B",
            b"x",
            b"{}",
            b"--C\r\n\r\n--C--",
            MODE + b"--B--B\r\n",
            b"\r\n" + MODE + END,
            _part("mode", b"--B--") + END,
            _part("mode", b"credits", "Content-Transfer-Encoding: base64") + END,  # stays
            _part("a", b"x", disposition='form-data; name="a"; filename="f.txt"') + MODE + END,
        ),
    ),
    "wrong multipart": (
        400,
        (
            _part("mode", b"bogus") + END,
            _part("mode", b"") + END,
            _part("mode", b" credits ") + END,
            _part("mode", b" ") + END,
            _part("mode", b"\r\n") + END,
            _part("mode", b"\xff\xfe") + END,
            _part("mode", b"\x00") + END,
            _part("mode", "é\u2028".encode()) + END,
            _part("mode", b"a\r\nb") + END,
            MODE + _part("mode", b"") + END,
            _part("mode", b"!", "Content-Transfer-Encoding: base64") + END,
            _part("mode", b"Y3Jl", "Content-Transfer-Encoding: BASE64") + END,
            _part("mode", b"Y3JlZGl0cw", "Content-Transfer-Encoding: base64") + END,
            _part("mode", b"=E9", "Content-Transfer-Encoding: quoted-printable") + END,
            _part("mode", b"x") + _part(EMAIL, b"x") + END,
            _part(EMAIL, b"x") + _part("mode", b"x") + END,
            _part(EMAIL, b"") + END,
            _part(EMAIL, b" ") + END,
            _part(EMAIL, b"\x00") + END,
            _part(EMAIL, b"\xff@example.com") + END,
            MODE,  # without its end, so that the line break is the value's
            _part("mode", b"x", disposition=FILE % "") + END,  # a field
            MODE.replace(b"--B", b"--C"),
            # files
            _part("mode", b"credits", disposition=FILE % "f.txt") + END,
            _part("mode", b"", disposition=FILE % "f.txt") + END,
            _part("mode", b"credits", disposition=FILE % "<b>\xc3\xa9&amp;") + END,
            _part("mode", b"credits", disposition=FILE % "../a/b\\c.txt") + END,
            _part(EMAIL, b"a@example.com", disposition=f'form-data; name="{EMAIL}"; filename="f"') + END,
            MODE + _part("mode", b"x", disposition=FILE % "f.txt") + END,
            _part("mode", b"x", disposition=FILE % "f.txt") + MODE + END,
            _part("a", b"!", "Content-Transfer-Encoding: base64", disposition=FILE % "f") + END,
            _part("a", b"YQ=", "Content-Transfer-Encoding: base64", disposition=FILE % "f") + END,
        ),
    ),
    "multipart with too many parts": (
        400,
        (
            b"".join(_part("a", b"1") for _ in range(1001)) + END,
            b"".join(_part("a", b"1", disposition=FILE % "f") for _ in range(101)) + END,
        ),
    ),
}
BOUNDARIES: Table[str] = {
    "boundary": (
        200,
        (
            "multipart/form-data; boundary=B",
            'multipart/form-data; boundary="B"',
            "multipart/form-data;boundary=B",
            "multipart/form-data; BOUNDARY=B",
            "multipart/form-data; charset=utf-8; boundary=B",
            "multipart/form-data; boundary=B; charset=latin-1",
            "multipart/form-data; boundary=B; charset=bogus",
            "multipart/form-data; boundary=B; x",
            "multipart/form-data ; boundary = B",
            "multipart/*; boundary=B",
            "multipart/form-data; boundary=x; boundary=B",
        ),
    ),
    # All is one part then, headers and end included.
    "another boundary than the body's": (
        400,
        (
            "multipart/form-data; boundary=X",
            "multipart/form-data; boundary=b",
            "multipart/form-data; boundary='B'",
        ),
    ),
    "impossible boundary": (
        400,
        (
            "multipart/form-data",
            "multipart/form-data;",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary=""',
            'multipart/form-data; boundary=" "',
            'multipart/form-data; boundary="B "',
            "multipart/form-data; boundary=B\xe9",
            "multipart/form-data; boundary=\xff",
            "multipart/form-data; boundary=B; x=\xc3\xa9",
            "multipart/form-data; bound=B",
            "multipart/form-data; boundary=" + "B" * 202,
            "Multipart/Form-Data; boundary=B",
            "MULTIPART/FORM-DATA; boundary=B",
        ),
    ),
}

# --- Places -------------------------------------------------------------------------------------------

GOOD, BAD = b'{"mode":"credits","code":"WELCOME"}', b"{"
XML, INDENT = ("Accept", "application/xml"), ("Accept", "application/json; indent=4")


def _sent(target: str, method: str, body: bytes, *headers: tuple[str, str], kind: str = JSON) -> Request:
    framing = (("Content-Type", kind), ("Content-Length", str(len(body))))
    return with_own_key(Request(target, method, (HOST, *headers, *framing), body))


PLACES: tuple[tuple[str, int, Request], ...] = (
    ("no key before the body", 401, _sent(CONFIG, "PATCH", BAD)),
    ("no key before the type", 401, _sent(COUPON, "POST", BAD, kind="text/plain")),
    ("accept before the body", 406, _sent(CONFIG, "PATCH", BAD, KEY, XML)),
    ("accept before the body of a coupon", 406, _sent(COUPON, "POST", GOOD, KEY, XML)),
    ("format before the body", 404, _sent(CONFIG + "?format=xml", "PATCH", BAD, KEY)),
    ("slash before the body", 301, _sent(CONFIG[:-1], "PATCH", BAD, KEY)),
    ("slash before a good body", 301, _sent(CONFIG[:-1] + "?a=b", "PATCH", GOOD, KEY)),
    ("slash before the body of a coupon", 301, _sent(COUPON[:-1], "POST", GOOD, KEY)),
    ("slash before a form", 301, _sent(COUPON[:-1], "POST", b"code=WELCOME", KEY, kind=FORM)),
    ("slash before a removal", 301, with_own_key(Request(COUPON[:-1], "DELETE"))),
    ("route before the body", 404, _sent("/api/v2/referral/x/", "PATCH", BAD, KEY)),
    *(
        (f"{method} before the body of {target[17:]}", 405, _sent(target, method, BAD, KEY))
        for target, methods in (
            (CONFIG, ("POST", "PUT", "DELETE")),
            (COUPON, ("PUT", "PATCH")),
            (CHANNELS, ("POST", "PATCH", "DELETE")),
            (EARNOUTS, ("POST", "PATCH")),
            (EARNOUTS + "501/", ("PATCH", "DELETE")),
            (INFO, ("POST",)),
        )
        for method in methods
    ),
    ("405 before the type", 405, _sent(CONFIG, "POST", BAD, KEY, kind="text/plain")),
    *(
        (f"GET with a body at {target[17:]}", 200, _sent(target, "GET", BAD, KEY))
        for target in (CONFIG, COUPON)
    ),
    *(
        (f"OPTIONS with a body at {target[17:]}", 200, _sent(target, "OPTIONS", BAD, KEY))
        for target in (CONFIG, COUPON)
    ),
    ("the method is not in the form", 405, _sent(CONFIG, "POST", b"_method=PATCH", KEY, kind=FORM)),
    (
        "the method is not in a header",
        405,
        _sent(CONFIG, "POST", GOOD, KEY, ("X-HTTP-Method-Override", "PATCH")),
    ),
    ("the query is not the body", 200, _sent(CONFIG + "?mode=bogus", "PATCH", b"{}", KEY)),
    ("the query is no code", 400, _sent(COUPON + "?code=WELCOME", "POST", b"{}", KEY)),
    ("the format is json", 200, _sent(CONFIG + "?format=json", "PATCH", GOOD, KEY)),
    ("removal with a body", 204, _sent(COUPON, "DELETE", BAD, KEY)),
    ("removal with an unknown type", 204, _sent(COUPON, "DELETE", BAD, KEY, kind="text/plain")),
    ("indented change", 200, _sent(CONFIG, "PATCH", GOOD, KEY, INDENT)),
    ("indented application", 200, _sent(COUPON, "POST", GOOD, KEY, INDENT)),
    ("indented parse error", 400, _sent(CONFIG, "PATCH", BAD, KEY, INDENT)),
    (
        "indented field errors",
        400,
        _sent(CONFIG, "PATCH", b'{"mode":1,"paypal_payout_email":2}', KEY, INDENT),
    ),
    ("indented type", 415, _sent(CONFIG, "PATCH", BAD, KEY, INDENT, kind="text/plain")),
    ("too many parameters come with the format", 400, _sent(CONFIG + "?" + "&" * 1000, "PATCH", BAD, KEY)),
    (
        "no length is no body",
        200,
        with_own_key(Request(CONFIG, "PATCH", (HOST, KEY, ("Content-Type", JSON)))),
    ),
    ("nothing at all", 200, with_own_key(Request(CONFIG, "PATCH"))),
    ("nothing at all for a coupon", 400, with_own_key(Request(COUPON, "POST"))),
)


def _patched(body: bytes) -> Request:
    return with_body(CONFIG, "PATCH", body)


def _addressed(text: str) -> Request:
    """Return a change of the address to a text as in JSON."""
    return _patched(f'{{"{EMAIL}":"{text}"}}'.encode())


def _typed_cases() -> Iterator[Case]:
    """Yield a change for each type and body, then the forms in other charsets."""
    for status, kind, body in TYPES:
        name = f"{kind!r} {body!r}"
        yield Case(f"type {status}", name, status, with_body(CONFIG, "PATCH", body, kind))
    for status, charset, body in FORM_CHARSETS:
        request = with_body(CONFIG, "PATCH", body, f"{FORM}; charset={charset}")
        yield Case("form in a charset", f"{charset} {body!r}", status, request)


CASES = (
    *table_cases(DOCUMENTS, _patched),
    *table_cases(VALUES, _patched),
    *table_cases(EMAILS, _addressed),
    *table_cases(CODES, lambda body: with_body(COUPON, "POST", body)),
    *_typed_cases(),
    *table_cases(FORMS, lambda body: with_body(CONFIG, "PATCH", body, FORM)),
    *table_cases(CODE_FORMS, lambda body: with_body(COUPON, "POST", body, FORM)),
    *table_cases(MULTIPARTS, lambda body: with_body(CONFIG, "PATCH", body, MULTIPART)),
    *table_cases(BOUNDARIES, lambda kind: with_body(CONFIG, "PATCH", MODE + END, kind)),
    *listed_cases("body in order", PLACES),
)
