"""Pictures as PNG, by typst, which draws SVG with fonts of its own."""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.core.programs.extras import command_for

# A pixel of a drawing is 3/4 pt: twice as many are sharp on a screen, and good enough in print.
_PPI: Final = 192.0
_PAGE: Final = (
    b"#set page(width: auto, height: auto, margin: 0pt)\n"
    b'#image(bytes(sys.inputs.svg), format: "svg")\n'
)


def png_of(svg: bytes) -> bytes:
    """The drawing as a PNG file. Raises Unavailable where typst is not installed."""
    try:
        import typst
    except ImportError as error:
        raise Unavailable(
            "PNG needs the package typst",
            code="no_typst",
            remedy=command_for("print") + "; or take SVG",
        ) from error
    fonts: Any = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    picture: bytes = typst.compile(
        _PAGE, font_paths=fonts, format="png", ppi=_PPI, sys_inputs={"svg": svg.decode()}
    )
    return picture
