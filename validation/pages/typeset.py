"""Formulas as problems print them, `u_tt = c² Δu + f`, as MathML, which a page shows offline, without script and fonts."""

import re
from collections.abc import Iterator
from html import escape

FUNCTIONS = ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh")
"""Names that stand upright; other words of more than one letter are text."""
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789−")
TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<partial>∂[a-z])|(?P<name>[^\W\d_⁰¹²³⁴⁵⁶⁷⁸⁹]+(?:_[^\W_⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|\^\([^)]*\))|(?P<wide>\s{2,})|(?P<space>\s)|(?P<sign>.)"
)
BREAKS = "=+"
"""Before these, and where there is a wide space, a line may break."""


def formula(text: str) -> str:
    """A line of mathematics as HTML; it breaks at the end of a line, and screen readers read the text."""
    pieces: list[list[str]] = [[]]
    for kind, markup in _atoms(text):
        breaks = kind == "wide" or (kind == "sign" and any(f">{sign}</mo>" in markup for sign in BREAKS))
        if breaks and pieces[-1]:
            pieces.append([])
        pieces[-1].append(markup)
    parts = " ".join(f"<math><mrow>{''.join(piece)}</mrow></math>" for piece in pieces)
    return f'<span class="formula" role="math" aria-label="{escape(text)}">{parts}</span>'


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """Numbers, letters, words and signs with what is raised behind them; a/b as a fraction."""
    atoms: list[tuple[str, str]] = []
    for match in TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind == "space":
            continue
        if kind == "raised" and atoms:
            before = atoms.pop()
            raised = token[2:-1] if token.startswith("^") else token.translate(RAISED)
            atoms.append((before[0], f"<msup>{before[1]}<mrow>{''.join(map(_letter, raised))}</mrow></msup>"))
        else:
            atoms.append((kind, _markup(kind, token)))
    while atoms:
        kind, markup = atoms.pop(0)
        if len(atoms) > 1 and atoms[0][1].endswith(">/</mo>") and atoms[1][0] in ("number", "name"):
            markup = f"<mfrac>{markup}{atoms[1][1]}</mfrac>"
            del atoms[:2]
        yield kind, markup


def _letter(letter: str) -> str:
    return (
        f"<mn>{letter}</mn>"
        if letter.isdigit()
        else f"<mi>{letter}</mi>"
        if letter.isalpha()
        else f"<mo>{letter}</mo>"
    )


def _markup(kind: str, token: str) -> str:
    if kind == "number":
        return f"<mn>{token}</mn>"
    if kind == "partial":
        return f"<msub><mi>∂</mi><mi>{token[1:]}</mi></msub>"
    if kind == "wide":
        return '<mspace width="1em"></mspace>'
    if kind == "sign":
        return f'<mo stretchy="false">{escape(token)}</mo>'
    name, _, below = token.partition("_")
    if below:
        return f"<msub><mi>{escape(name)}</mi><mrow>{''.join(map(_letter, below))}</mrow></msub>"
    if name[0] in "ΔL" and len(name) == 2:  # Δu: an operator before its field
        return f"<mi>{name[0]}</mi><mi>{name[1]}</mi>"
    if len(name) > 1 and name not in FUNCTIONS:
        return f"<mspace width='0.3em'></mspace><mtext>{escape(name)}</mtext><mspace width='0.3em'></mspace>"
    return f"<mi>{escape(name)}</mi>"
