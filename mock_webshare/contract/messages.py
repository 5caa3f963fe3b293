"""The texts of the service's errors, which the mock sends and the judge checks.

Their source is Django REST framework or django-filter unless noted.
"""

from __future__ import annotations

NO_CREDENTIALS = "Authentication credentials were not provided."
KEYWORD_ALONE = "Invalid token header. No credentials provided."
KEY_WITH_SPACES = "Invalid token header. Token string should not contain spaces."
UNDECODABLE_KEY = "Invalid token header. Token string should not contain invalid characters."
UNKNOWN_KEY = "Invalid token."
UNAUTHORIZED = (NO_CREDENTIALS, KEYWORD_ALONE, KEY_WITH_SPACES, UNDECODABLE_KEY, UNKNOWN_KEY)
"""All texts of a 401."""

NOT_FOUND = "Not found."
"""For an unknown id (observed in the vendor's client tests) and an unknown `format`."""
NO_MATCH = "No {model} matches the given query."
"""For an unknown id in version 3.15 and later of the framework; `model` is a class of the service."""
INVALID_PAGE = "Invalid page."
METHOD_NOT_ALLOWED = 'Method "{method}" not allowed.'
NOT_ACCEPTABLE = "Could not satisfy the request Accept header."
UNSUPPORTED_MEDIA_TYPE = 'Unsupported media type "{content_type}" in request.'
UNSUPPORTED_CHARSET = 'Unsupported charset "{charset}" in request Content-Type header.'
PERMISSION_DENIED = "You do not have permission to perform this action."
SERVER_ERROR = "A server error occurred."
INVALID_INPUT = "Invalid input."
THROTTLED = "Request was throttled. Expected available in {seconds} {unit}."
"""`unit` is `second` or `seconds`."""

INVALID_CHOICE = "Select a valid choice. {value} is not one of the available choices."
"""`value` is the value of the request; for an id, it is `THAT_CHOICE`."""
THAT_CHOICE = "That choice"
NULL_CHARACTERS = "Null characters are not allowed."

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
NO_STRING = "Not a valid string."
NO_CHOICE = '"{value}" is not a valid choice.'
NO_EMAIL = "Enter a valid email address."
TOO_LONG = "Ensure this field has no more than {length} characters."
SURROGATE = "Surrogate characters are not allowed: U+{code:X}."
NO_DATA = "No data provided"
NO_DICTIONARY = "Invalid data. Expected a dictionary, but got {type}."
"""`type` is Python's name of the type: `list`, `str`, `int`, …"""

UNKNOWN_CODE = "Referral code not found."
"""For an unknown referral code, if `--unknown-code` is 400: assumed, with the code `not_found`."""
PAYOUT_EMAIL = "This field is required in payout mode."
"""For a configuration in payout mode without an e-mail: assumed, with the code `required`."""
COUPON_ERRORS = {
    "not_found": "Coupon code not found.",
    "self_referral": "You cannot use your own coupon code.",
    "code_inactive": "This coupon code is not active.",
    "code_expired": "This coupon code has expired.",
    "already_redeemed": "You have already redeemed this coupon code.",
}
"""Why a coupon code is refused, by the code of the error; the codes are documented, the texts assumed."""

FORBIDDEN = {
    "2fa_needed": "Two factor authentication is needed.",
    "account_suspended": "This account is suspended.",
    "account_deleted": "Your account is deleted.",
}
"""The `detail` of a 403 by its `code`: documented, except for `account_suspended`, which is assumed."""
