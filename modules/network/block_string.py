"""Block strings: the text form of BlockArgs.

    block  = "r" count ("_" token)*          the other tokens in any order, each at most once
    token  = "k" sizes                       k3, k3.5.7 or k[3, 5, 7]
           | "s" digit digit                 strides
           | "e" count | "i" count | "o" count        expansion ratio, input filters, output filters
           | "a" groups | "p" groups         MixNet's 1x1 convolutions: a1 is one group, p1.1 is two
           | "a" activation | "sw"           aswish, amish, arelu; sw is aswish in MixNet's notation
           | "b" norm | "n" count            bbn, ban, biebn; n5 is a mixture of five
           | "d" placement | "w" init        dall, ddepthwise: where the norm is; wbn, wpaper: how it starts
           | "c1"                            EfficientNetV2's fused block
           | "se" ratio | "noskip"

r, k, s, e, i and o are required. Anything else is a ValueError that points at the token.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from efficientmixnet.modules.layers.norm import INITS, KINDS, PLACEMENTS, Norm
from efficientmixnet.modules.network.choices import ACTIVATIONS

_COUNT = "[1-9][0-9]{0,8}"
_END = r"(?=_|\Z)"


class _Rule(NamedTuple):
    field: str
    pattern: re.Pattern[str]
    value: Callable[[str], Any]
    hint: str


def _rule(field: str, pattern: str, value: Callable[[str], Any], hint: str) -> _Rule:
    return _Rule(field, re.compile(f"(?:{pattern}){_END}"), value, hint)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in re.findall("[0-9]+", text))


_RULES = (
    _rule("num_repeat", f"r({_COUNT})", int, "r and a number of repeats, like r2"),
    _rule(
        "kernel_size",
        rf"k({_COUNT}(?:\.{_COUNT})*|\[ *{_COUNT} *(?:, *{_COUNT} *)*\])",
        _sizes,
        "k and kernel sizes, like k3, k3.5.7 or k[3, 5, 7]",
    ),
    _rule("strides", r"s(([1-9])\2)", lambda text: (int(text[0]), int(text[1])), "s and two equal strides, like s22"),
    _rule("expand_ratio", f"e({_COUNT})", int, "e and an expansion ratio, like e6"),
    _rule("input_filters", f"i({_COUNT})", int, "i and a number of input filters, like i32"),
    _rule("output_filters", f"o({_COUNT})", int, "o and a number of output filters, like o16"),
    _rule("expand_groups", r"a(1(?:\.1)*)", lambda text: len(_sizes(text)), "a and ones, like a1.1"),
    _rule("project_groups", r"p(1(?:\.1)*)", lambda text: len(_sizes(text)), "p and ones, like p1.1"),
    _rule("activation", f"a({'|'.join(ACTIVATIONS)})", str, f"a and an activation: {', '.join(ACTIVATIONS)}"),
    _rule("activation", "(sw)", lambda _: "swish", "sw"),
    _rule("kind", f"b({'|'.join(KINDS)})", str, f"b and a normalization: {', '.join(KINDS)}"),
    _rule("n_mixture", f"n({_COUNT})", int, "n and a number of mixtures, like n5"),
    _rule("placement", f"d({'|'.join(PLACEMENTS)})", str, f"d and a placement of the norm: {', '.join(PLACEMENTS)}"),
    _rule("init", f"w({'|'.join(INITS)})", str, f"w and a start of the norm: {', '.join(INITS)}"),
    _rule("se_ratio", r"se(1(?:\.0+)?|0\.0*[1-9][0-9]*)", float, "se and a fraction in (0, 1], like se0.25"),
    _rule("fused", "c(1)", lambda _: True, "c1, for a fused block"),
    _rule("identity_skip", "(noskip)", lambda _: False, "noskip"),
)
_REQUIRED = {
    "num_repeat": "r",
    "kernel_size": "k",
    "strides": "s",
    "expand_ratio": "e",
    "input_filters": "i",
    "output_filters": "o",
}


def parse(text: str) -> dict[str, Any]:
    """Returns the BlockArgs fields that a block string gives."""
    if not isinstance(text, str):
        raise ValueError(f"block string: {text!r} is not a string, give one like r1_k3_s11_e1_i32_o16_se0.25")
    fields: dict[str, Any] = {}
    position = 0
    while True:
        rule, content, end = _match(text, position)
        token = text[position:end]
        if not fields and rule.field != "num_repeat":
            raise _error(text, position, token, "the first token is r and a number of repeats, like r2")
        if rule.field in fields:
            raise _error(text, position, token, f"{rule.field} is given twice")
        fields[rule.field] = rule.value(content)
        if end == len(text):
            break
        position = end + 1
    missing = [letter for field, letter in _REQUIRED.items() if field not in fields]
    if missing:
        raise _error(text, position, token, f"the string ends here without its {', '.join(missing)}")
    norm = Norm(*(fields.pop(name, None) for name in vars(Norm())))
    return fields if norm == Norm() else {**fields, "norm": norm}


def write(fields: Mapping[str, Any]) -> str:
    """Returns the block string of a block. Fields with their default value are left out."""
    sizes = fields["kernel_size"]
    tokens = [
        f"r{fields['num_repeat']}",
        "k" + (str(sizes) if isinstance(sizes, int) else ".".join(map(str, sizes))),
        "s" + "".join(map(str, fields["strides"])),
        f"e{fields['expand_ratio']}",
        f"i{fields['input_filters']}",
        f"o{fields['output_filters']}",
    ]
    for letter, name in (("a", "expand_groups"), ("p", "project_groups")):
        if fields[name] > 1:
            tokens.append(letter + ".".join("1" * fields[name]))
    norm = Norm.of(fields["norm"])
    named = {"a": fields["activation"], "b": norm.kind, "n": norm.n_mixture, "d": norm.placement, "w": norm.init}
    for letter, value in named.items():
        if value is not None:
            tokens.append(f"{letter}{value}")
    if fields["fused"]:
        tokens.append("c1")
    if fields["se_ratio"] is not None:
        tokens.append(f"se{Decimal(repr(float(fields['se_ratio']))):f}")
    if not fields["identity_skip"]:
        tokens.append("noskip")
    return "_".join(tokens)


def _match(text: str, position: int) -> tuple[_Rule, str, int]:
    for rule in _RULES:
        if match := rule.pattern.match(text, position):
            return rule, match[1], match.end()
    token = text[position:].split("_")[0]
    hints = [rule.hint for rule in _RULES if token and rule.hint[0] == token[0]]
    raise _error(
        text, position, token, "expected " + (" or ".join(hints) or "one of r k s e i o a p b n d w c1 se sw noskip")
    )


def _error(text: str, position: int, token: str, why: str) -> ValueError:
    return ValueError(f"block string {text!r}: token {token!r} at column {position + 1}: {why}")
