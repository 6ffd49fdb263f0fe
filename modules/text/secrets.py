"""Secrets: what a password, key or token looks like in a text, and how it is masked."""

import re

MASK = "***"

_SECRET = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "secret", "token", "jwt", "cookie", "credential", "credentials"),
        *("signature", "sig", "sas", "auth", "authorization", "apikey", "accesskey", "secretkey", "privatekey"),
    }
)
# A key is a secret next to one of these words, but not next to one of those. Other keys are keys of mappings.
_PRIVATE = frozenset(
    {
        *("access", "account", "api", "aws", "azure", "client", "encryption", "google", "master", "private"),
        *("service", "session", "shared", "signing", "ssh", "storage", "subscription"),
    }
)
_PUBLIC = frozenset({"public", "pub", "kms"})
_LONG = tuple(sorted(word for word in _SECRET if len(word) > 4))  # also at the end of a word, such as mytoken
_REFERENCE = frozenset({"file", "path", "name", "url", "uri"})  # password_file says where the password is
_HINT = re.compile("pass|pwd|secret|token|jwt|cookie|credential|sig|sas|auth|key|bearer|basic|://", re.IGNORECASE)

_NAME = re.compile(r"(?:--)?[A-Za-z_][\w.-]*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # of snake_case, kebab-case and CamelCase
# A password may hold a slash, but http://host:80/me@home.png has no password. The limits keep hostile texts fast.
_PASSWORD = r"[^\s/?#\"'<>]{0,1024}@|(?!\d+[/?#])[^\s?#\"'<>@]{0,1024}@"  # noqa: S105
_USER = re.compile(
    rf"(?<=://)[^\s/?#\"'<>:@]{{0,256}}:(?:{_PASSWORD})"
    rf"|(?<=http://)[^\s/?#\"'<>]{{1,1024}}@|(?<=https://)[^\s/?#\"'<>]{{1,1024}}@"
)
_PARAMETER = re.compile(r"(?<=[?&;#])([\w.%$-]+)=([^\s&;#\"'<>]+)")
_BEARER = re.compile(r"\b(Bearer|bearer|Basic)(\s+)(?=\S*\d)[\w.~+/=-]{8,}")
_QUOTED = r"(?P<quote>\\*[\"'])(?P<quoted>(?:\\.|[^\\])*?)(?P=quote)"
_VALUE = re.compile(rf"(?P<between>(?:\\*[\"'])?\s*(?:=(?!=)|:)\s*)(?:{_QUOTED}|(?P<bare>[^\s\"',;&<>]+))")
# Also `'--token', 'abc1'` and `--token abc1`.
_VALUE_OF_OPTION = re.compile(
    r"(?P<between>(?:\\*[\"'])?(?:\s*[=:]\s*|\s*,\s*(?=\\*[\"'])|\s+(?!-)(?=\S*\d|\S{12})))"
    rf"(?:{_QUOTED}|(?P<bare>[^\s\"']+))"
)
_VARIABLE = re.compile(r"[A-Z]+(_[A-Z]+)+")  # {accesskey: AWS_ACCESS_KEY_ID} names a variable
_PROSE = re.compile(r"[ \t]+\w[\w.-]*(?![\w.-]|\s*[:=])")  # "token: is missing" is a sentence


def is_secret_name(name: str) -> bool:
    """Returns whether a setting, option or variable of this name holds a secret.

    Example:
        >>> [is_secret_name(name) for name in ("--s3_secret_access_key", "AWSAccessKeyId", "tokenizer")]
        [True, True, False]
    """
    found = [word.lower() for word in _WORD.findall(name.rpartition(".")[2])]
    words = set(found)
    if not found or found[-1] in _REFERENCE:
        return False
    if words & _SECRET or any(word.endswith(_LONG) for word in words):
        return True
    is_variable_or_option = (name.isupper() and len(words) > 1) or name.startswith("--")
    return "key" in words and not words & _PUBLIC and (bool(words & _PRIVATE) or is_variable_or_option)


def mask_urls(text: str) -> str:
    """Returns the text with *** for users and passwords, tokens and signatures in its URLs.

    Example:
        >>> mask_urls("https://me:hunter2@host/a.png?size=2&X-Amz-Signature=abc")
        'https://***@host/a.png?size=2&X-Amz-Signature=***'
    """
    if "://" not in text:
        return text
    return _PARAMETER.sub(_masked_parameter, _USER.sub(f"{MASK}@", text))


def mask(text: str) -> str:
    """Returns the text with *** for everything that looks like a secret, in URLs and behind names.

    Example:
        >>> mask("--s3_secret_access_key=abc is refused")
        '--s3_secret_access_key=*** is refused'
    """
    if not _HINT.search(text):  # most lines of a log
        return text
    text = _BEARER.sub(rf"\1\2{MASK}", mask_urls(text))
    parts, end = [], 0
    for name in _NAME.finditer(text):
        if name.start() >= end and is_secret_name(name[0]) and (value := _value(text, name)):
            parts.append(text[end : value.start("quoted" if value["quote"] else "bare")])
            end = value.end("quoted" if value["quote"] else "bare")
    return MASK.join([*parts, text[end:]])


def _masked_parameter(found: re.Match[str]) -> str:
    name = found[1]
    return f"{name}={MASK}" if is_secret_name(name) or name.lower() == "key" else found[0]


def _value(text: str, name: re.Match[str]) -> re.Match[str] | None:
    """The value behind the name; None if there is none, or if it is a sentence, an object or the name of a variable."""
    found = (_VALUE_OF_OPTION if name[0].startswith("--") else _VALUE).match(text, name.end())
    if not found or not found["bare"]:
        return found
    begins_sentence = ":" in found["between"] and _PROSE.match(text, found.end())
    begins_json = found["between"].startswith(("'", '"')) and found["bare"].startswith(("{", "["))
    names_variable = _VARIABLE.fullmatch(found["bare"].rstrip("}])"))
    return None if begins_sentence or begins_json or names_variable else found
