"""The characters that LaTeX names stand for, and what kind of symbol each is.

The kind decides the spacing, as in TeX (Knuth 1984, The TeXbook, chapter 18): operators and relations stand between
blanks, a comma is followed by one, a name such as ``log`` keeps clear of its argument.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["ordinary", "binary", "relation", "open", "close", "comma", "name", "large"]
"""A ``name`` is set upright (``log``); a ``large`` operator takes limits above and below (a sum)."""


def _table(kind: Kind, text: str) -> dict[str, tuple[str, Kind]]:
    """Return the rows ``name character`` of `text`, all of one kind."""
    words = text.split()
    return {name: (character, kind) for name, character in zip(words[::2], words[1::2], strict=True)}


SYMBOLS: dict[str, tuple[str, Kind]] = {
    **_table(
        "ordinary",
        """alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
        mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi φ varphi φ chi χ
        psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
        ell ℓ hbar ℏ imath ı jmath ȷ Re ℜ Im ℑ aleph ℵ partial ∂ nabla ∇ infty ∞ emptyset ∅ varnothing ∅ forall ∀
        exists ∃ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ prime ′ ldots … dots … dotsc … dotsb … cdots ⋯ vdots ⋮ ddots ⋱
        vert | Vert ‖ checkmark ✓ degree ° triangle △ square □ star ⋆ dagger † S §""",
    ),
    **_table(
        "binary",
        """pm ± mp ∓ times × div ÷ cdot · ast ∗ circ ∘ bullet • odot ⊙ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ wedge ∧
        land ∧ vee ∨ lor ∨ cap ∩ cup ∪ setminus ∖ uplus ⊎ sqcup ⊔ sqcap ⊓ diamond ⋄""",
    ),
    **_table(
        "relation",
        """le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ ne ≠ neq ≠ lt < gt > ll ≪ gg ≫ approx ≈ sim ∼ simeq ≃ cong ≅
        equiv ≡ propto ∝ in ∈ ni ∋ notin ∉ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ perp ⊥ parallel ∥ mid | nmid ∤
        to → rightarrow → longrightarrow ⟶ leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ implies ⟹ Leftarrow ⇐
        Leftrightarrow ⇔ iff ⟺ mapsto ↦ uparrow ↑ downarrow ↓ prec ≺ succ ≻ vdash ⊢ models ⊨ triangleq ≜ coloneqq ≔
        lesssim ≲ gtrsim ≳ colon :""",
    ),
    **_table("open", "lVert ‖ lvert | langle ⟨ lfloor ⌊ lceil ⌈ lbrace { lbrack ["),
    **_table("close", "rVert ‖ rvert | rangle ⟩ rfloor ⌋ rceil ⌉ rbrace } rbrack ]"),
    **_table("large", "sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂"),
    "{": ("{", "open"),
    "}": ("}", "close"),
    "|": ("‖", "ordinary"),
    **{each: (each, "ordinary") for each in "%$&#_"},
}
"""What ``\\name`` stands for."""

_FUNCTIONS = """log ln lg exp sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth max min sup inf lim arg
det dim ker deg gcd hom Pr"""
NAMES = frozenset(_FUNCTIONS.split())
"""Functions that are written out in upright letters."""

LIMITED = frozenset({"max", "min", "sup", "inf", "lim", "det", "gcd", "Pr"})
"""Names that take what is below them as a limit."""

SIDE_LIMITS = frozenset("∫∬∭∮")
"""Large operators whose limits stand at the side."""

CHARACTERS: dict[str, tuple[str, Kind]] = {
    "+": ("+", "binary"),
    "-": ("−", "binary"),
    "*": ("∗", "binary"),
    **{each: (each, "relation") for each in "=<>:"},
    **{each: (each, "open") for each in "(["},
    **{each: (each, "close") for each in ")]"},
    **{each: (each, "comma") for each in ",;"},
    "~": (" ", "ordinary"),
}
"""What a character of the source stands for, where it is no letter."""

SPACES = {",": 1, ":": 1, ";": 1, " ": 1, "!": 0, "quad": 3, "qquad": 5, "space": 1, "enspace": 2, "thinspace": 1}
"""Widths of the spaces, in columns."""

_SIZES = """displaystyle textstyle scriptstyle limits nolimits big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl
Biggr bigm Bigm nonumber"""
IGNORED = frozenset(_SIZES.split())
"""Commands that change nothing here."""

ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "vec": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
    "underline": "\u0332",
}
"""The combining character of each accent."""

MATRICES: dict[str, tuple[str, str]] = {
    "matrix": ("", ""),
    "smallmatrix": ("", ""),
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "Bmatrix": ("{", "}"),
    "vmatrix": ("|", "|"),
    "Vmatrix": ("‖", "‖"),
    "cases": ("{", ""),
    "aligned": ("", ""),
    "array": ("", ""),
}
"""The delimiters of each environment."""

_SUBSCRIPTS = dict(zip("0123456789+−-=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_SUPERSCRIPTS = dict(
    zip(
        "0123456789+−-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδεθφχ⊤′∗*",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᵋᶿᵠᵡᵀ′**",
        strict=True,
    )
)


def lowered(text: str) -> str | None:
    """Return `text` in Unicode's subscript characters; None where one of them does not exist."""
    return "".join(_SUBSCRIPTS[each] for each in text) if all(each in _SUBSCRIPTS for each in text) else None


def raised(text: str) -> str | None:
    """Return `text` in Unicode's superscript characters; None where one of them does not exist."""
    return "".join(_SUPERSCRIPTS[each] for each in text) if all(each in _SUPERSCRIPTS for each in text) else None


_BLACKBOARD = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
_SCRIPT = dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True))
_ALPHABETS: dict[str, tuple[int, int, int, dict[str, str]]] = {
    "mathbf": (0x1D400, 0x1D41A, 0x1D7CE, {}),
    "boldsymbol": (0x1D400, 0x1D41A, 0x1D7CE, {}),
    "bm": (0x1D400, 0x1D41A, 0x1D7CE, {}),
    "mathbb": (0x1D538, 0x1D552, 0x1D7D8, _BLACKBOARD),
    "mathcal": (0x1D49C, 0x1D4B6, 0, _SCRIPT),
    "mathscr": (0x1D49C, 0x1D4B6, 0, _SCRIPT),
}
"""Where capitals, small letters and digits of an alphabet begin in Unicode, and the letters that stand elsewhere."""

UPRIGHT = frozenset({"mathrm", "mathit", "mathsf", "mathtt", "operatorname", "mathop", "rm"})
"""Alphabets that a terminal shows as its own letters."""

ALPHABETS = frozenset({*_ALPHABETS, *UPRIGHT})


def in_alphabet(text: str, alphabet: str) -> str:
    """Return `text` in one of the mathematical alphabets; what that lacks stays as it is."""
    if alphabet in UPRIGHT:
        return text
    capitals, small, digits, elsewhere = _ALPHABETS[alphabet]
    return "".join(elsewhere.get(each) or _letter(each, capitals, small, digits) for each in text)


def _letter(letter: str, capitals: int, small: int, digits: int) -> str:
    if not letter.isascii():
        return letter
    if letter.isupper():
        return chr(capitals + ord(letter) - ord("A"))
    if letter.islower():
        return chr(small + ord(letter) - ord("a"))
    return chr(digits + ord(letter) - ord("0")) if digits and letter.isdigit() else letter
