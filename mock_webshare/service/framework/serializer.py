"""The body of a request, as Django REST framework's parsers and serializers read it."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mock_webshare.contract import messages
from mock_webshare.contract.model import Input
from mock_webshare.service.framework.query import FieldError
from mock_webshare.service.framework.request import MOST_PARAMETERS, MediaType, charset_of, media_type

_JSON, _FORM, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
PARSERS = (_JSON, _FORM, _MULTIPART)
"""The media types of bodies, in the order in which they are tried."""
MOST_BYTES = 2_621_440
"""Bytes of a body; a larger one is refused (framework: Django's `DATA_UPLOAD_MAX_MEMORY_SIZE`)."""
NON_FIELD = "non_field_errors"
_LONGEST_PART_HEADERS = 1024
_MOST_FILES = 100


class Form(dict[str, Any]):
    """The last value of each field of a form; an empty text may stand for null."""


class File(str):
    """The name of an uploaded file, which stands for the file."""

    __slots__ = ()


class ParseError(Exception):
    """A body cannot be parsed; the message is the service's."""


class UnsupportedMediaType(Exception):
    """No parser reads a body of this content type."""


def read_body(body: bytes, content_type: str) -> Any:
    """Return the data in a body: JSON, or a form.

    Raise `ParseError`, `UnsupportedMediaType`, LookupError for a charset that is not for text, or ValueError
    for a form with too many fields, or a body that is too large.
    """
    sent = media_type(content_type)
    if len(body) > MOST_BYTES:
        raise ValueError("too many bytes")
    if not body:
        return Form() if sent.name in (_FORM, _MULTIPART) else {}
    found = next((each for each in PARSERS if _matches(sent, each)), None)
    encoding = charset_of(content_type) or "utf-8"
    if found is not None:
        TextIOWrapper(BytesIO(), encoding)  # refuses a codec that is not for text
    if found == _JSON:
        return _read_json(body, encoding)
    if found == _FORM:
        return Form(_pairs(body, encoding))
    if found == _MULTIPART:
        return Form(_read_multipart(body, content_type, encoding))
    raise UnsupportedMediaType(content_type)


def _matches(sent: MediaType, parser: str) -> bool:
    """Return whether a parser reads a media type, which may have `*` for a part."""
    main, _, sub = parser.partition("/")
    sent_main, _, sent_sub = sent.name.partition("/")
    return sent_main in (main, "*") and sent_sub in (sub, "*")


def _read_json(body: bytes, encoding: str) -> Any:
    try:
        text = codecs.getreader(encoding)(BytesIO(body)).read()
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"Out of range float values are not JSON compliant: {constant!r}")


def _pairs(body: bytes, encoding: str) -> list[tuple[str, str]]:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return parse_qsl(text, keep_blank_values=True, encoding=encoding, max_num_fields=MOST_PARAMETERS)


def _read_multipart(body: bytes, content_type: str, encoding: str) -> Iterator[tuple[str, Any]]:
    separator = b"--" + _boundary(content_type).encode()
    fields, files = list[tuple[str, Any]](), list[tuple[str, Any]]()
    *parts, last = body.split(separator)
    for part in (*(each.removesuffix(b"\n").removesuffix(b"\r") for each in parts), last):
        if (field := _read_part(part, encoding)) is not None:
            (files if isinstance(field[1], File) else fields).append(field)
    if len(fields) > MOST_PARAMETERS or len(files) > _MOST_FILES:
        raise ValueError("too many fields")
    yield from fields
    yield from files


def _boundary(content_type: str) -> str:
    """Return the boundary of a multipart body, or raise the framework's error."""
    if not content_type.startswith("multipart/"):
        raise ParseError(f"Multipart form parse error - Invalid Content-Type: {content_type}")
    if not content_type.isascii():
        problem = f"Invalid non-ASCII Content-Type in multipart: {content_type}"
        raise ParseError(f"Multipart form parse error - {problem}")
    boundary = media_type(content_type).params.get("boundary")
    if boundary is None or not re.fullmatch(r"[ -~]{0,200}[!-~]", boundary):
        raise ParseError(f"Multipart form parse error - Invalid boundary in multipart: {boundary}")
    return boundary


def _read_part(part: bytes, encoding: str) -> tuple[str, Any] | None:
    """Return name and value of the field in a part; None if the part is not a field."""
    head, separator, content = part.partition(b"\r\n\r\n")
    if len(head) + len(separator) > _LONGEST_PART_HEADERS or (not separator and len(part) >= 1024):
        raise ParseError("Multipart form parse error - Request max total header size exceeded.")
    headers = dict(_part_headers(head)) if separator else {}
    _, disposition = headers.get("content-disposition", ("", {}))
    if "name" not in disposition:
        return None
    name = disposition["name"].strip()
    transfer_encoding, _ = headers.get("content-transfer-encoding", ("", {}))
    is_base64 = transfer_encoding.strip() == "base64"
    if filename := disposition.get("filename"):
        file = _file_name(filename)
        if file and is_base64:
            _require_base64(content)
        return (name, File(file)) if file else None
    if is_base64:
        with suppress(binascii.Error):
            content = base64.b64decode(content)
    return name, content.decode(encoding, "replace")


def _require_base64(content: bytes) -> None:
    stripped = b"".join(content.split())
    try:
        base64.b64decode(stripped)
    except binascii.Error as error:
        raise ParseError("Multipart form parse error - Could not decode base64 data.") from error
    if len(stripped) % 4:
        raise ParseError("Multipart form parse error - Could not decode base64 data.")


def _part_headers(head: bytes) -> Iterator[tuple[str, tuple[str, Mapping[str, str]]]]:
    for line in head.split(b"\r\n"):
        try:
            whole = media_type(line.decode())
        except ValueError:
            continue
        name, colon, value = whole.name.partition(":")
        if colon:
            yield name, (value, whole.params)


def _file_name(name: str) -> str:
    """Return the name of a file without its folders; empty for `.` and `..`."""
    name = re.split(r"[/\\]", html.unescape(name))[-1]
    name = "".join(filter(str.isprintable, name))
    return "" if name in (".", "..") else name


class Validated(NamedTuple):
    """The values of the valid fields, and the errors of the others."""

    values: Mapping[str, Any]
    errors: list[FieldError]


def validate(inputs: Sequence[Input], data: Any, *, is_partial: bool = False) -> Validated:
    """Return the values of `inputs` in the data of a body, and errors; unknown fields are ignored."""
    if data is None:
        return Validated({}, [FieldError(NON_FIELD, messages.NO_DATA, "null")])
    if not isinstance(data, dict):
        text = messages.NO_DICTIONARY.format(type=type(data).__name__)
        return Validated({}, [FieldError(NON_FIELD, text, "invalid")])
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for each in inputs:
        if each.name not in data:
            errors += [] if is_partial else [FieldError(each.name, messages.REQUIRED, "required")]
            continue
        value = data[each.name]
        if isinstance(data, Form) and value == "" and each.is_nullable:
            value = None
        values[each.name], problems = _validated(each, value)
        errors += problems
    return Validated(values, errors)


def _validated(field: Input, value: Any) -> tuple[Any, list[FieldError]]:
    if value is None and (field.is_nullable or field.kind == "choice"):
        return None, [] if field.is_nullable else [FieldError(field.name, messages.NULL, "null")]
    if field.kind == "choice":
        text = str(value)
        problem = FieldError(field.name, messages.NO_CHOICE.format(value=text), "invalid_choice")
        return text, [] if text in field.choices else [problem]
    if value is None:
        return None, [FieldError(field.name, messages.NULL, "null")]
    if str(value).strip() == "":
        return "", [FieldError(field.name, messages.BLANK, "blank")]
    if isinstance(value, bool | File) or not isinstance(value, str | int | float):
        message = messages.NO_EMAIL if field.kind == "email" else messages.NO_STRING
        return value, [FieldError(field.name, message, "invalid")]
    text = str(value).strip()
    return text, [FieldError(field.name, *each) for each in _problems(field, text)]


def _problems(field: Input, text: str) -> Iterator[tuple[str, str]]:
    """Yield message and code of each rule that a text breaks."""
    if field.max_length is not None and len(text) > field.max_length:
        yield messages.TOO_LONG.format(length=field.max_length), "max_length"
    if "\0" in text:
        yield messages.NULL_CHARACTERS, "null_characters_not_allowed"
    if surrogate := re.search("[\ud800-\udfff]", text):
        yield messages.SURROGATE.format(code=ord(surrogate[0])), "surrogate_characters_not_allowed"
    if field.kind == "email" and not is_email(text):
        yield messages.NO_EMAIL, "invalid"


_LONGEST_EMAIL = 320
_FOLDED = "\u0130\u0131\u017f\u212a"  # they match ASCII letters if case is ignored, as in the framework
_ATOM = rf"[-!#$%&'*+/=?^_`{{}}|~0-9a-zA-Z{_FOLDED}]+"
_QUOTED = rf"[\001-\010\013\014\016-\037!#-\[\]-\177{_FOLDED}]|\\[\001-\011\013\014\016-\177{_FOLDED}]"
_LOCAL_PART = re.compile(rf'{_ATOM}(\.{_ATOM})*|"({_QUOTED})*"')
# What a label must not contain: classes of what it may contain take ten times as long to compile.
_NO_LETTER = r"\x00-,./:-@\[-`{-\xa0\U00010000-\U0010ffff"
_LABEL = re.compile(rf"(?!-)[^{_NO_LETTER}]{{1,63}}(?<!-)")
_LAST_LABEL = re.compile(rf"(?!-)(?:[^{_NO_LETTER}0-9]{{2,63}}|[xX][nN]--[a-zA-Z0-9{_FOLDED}]{{1,59}})(?<!-)")


def is_email(text: str) -> bool:
    """Return whether a text is an e-mail address (framework: Django's `EmailValidator`)."""
    local_part, at, domain = text.rpartition("@")
    if not at or len(text) > _LONGEST_EMAIL or not _LOCAL_PART.fullmatch(local_part):
        return False
    return domain == "localhost" or _is_domain(domain) or _is_address(domain)


def _is_domain(domain: str) -> bool:
    *labels, last = domain.split(".")
    return bool(labels) and all(map(_LABEL.fullmatch, labels)) and bool(_LAST_LABEL.fullmatch(last))


def _is_address(domain: str) -> bool:
    if not re.fullmatch(r"\[[A-Fa-f0-9:.]+\]", domain):
        return False
    try:
        return ip_address(domain[1:-1]) is not None
    except ValueError:
        return False
