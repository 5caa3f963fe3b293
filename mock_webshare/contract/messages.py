"""The texts of the service's errors, which the mock sends and the judge checks.

Their source is Django REST framework or django-filter unless noted.
"""

from __future__ import annotations

NO_CREDENTIALS = "Authentication credentials were not provided."
KEYWORD_ALONE = "Invalid token header. No credentials provided."
KEY_WITH_SPACES = "Invalid token header. Token string should not contain spaces."
UNDECODABLE_KEY = "Invalid token header. Token string should not contain invalid characters."
UNKNOWN_KEY = "Invalid token."

NOT_FOUND = "Not found."
"""For an unknown id (observed in the vendor's client tests) and an unknown `format`."""
NO_MATCH = "No {model} matches the given query."
"""For an unknown id in version 3.15 and later of the framework; `model` is a class of the service."""
INVALID_PAGE = "Invalid page."
METHOD_NOT_ALLOWED = 'Method "{method}" not allowed.'
NOT_ACCEPTABLE = "Could not satisfy the request Accept header."
UNSUPPORTED_MEDIA_TYPE = 'Unsupported media type "{content_type}" in request.'
PERMISSION_DENIED = "You do not have permission to perform this action."
SERVER_ERROR = "A server error occurred."
INVALID_INPUT = "Invalid input."
THROTTLED = "Request was throttled. Expected available in {seconds} {unit}."
"""`unit` is `second` or `seconds`."""

INVALID_CHOICE = "Select a valid choice. {value} is not one of the available choices."
"""`value` is the value of the request; for an id, it is `THAT_CHOICE`."""
THAT_CHOICE = "That choice"
NULL_CHARACTERS = "Null characters are not allowed."

FORBIDDEN = {
    "2fa_needed": "Two factor authentication is needed.",
    "account_suspended": "This account is suspended.",
    "account_deleted": "Your account is deleted.",
}
"""The `detail` of a 403 by its `code`: documented, except for `account_suspended`, which is assumed."""
