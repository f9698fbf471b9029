"""Colours between red, green and blue, hue and saturation, and the CIE's x and y.

The matrix is the one that Philips publishes for its lamps (wide gamut, D65), which Home Assistant uses too, so that a
lamp gets the same numbers from both.
"""

import colorsys
import math

from daemon.devices.order import Color

_TO_X, _TO_Y, _TO_Z = (0.664511, 0.154324, 0.162028), (0.283881, 0.668433, 0.047685), (0.000088, 0.072310, 0.986039)
_FROM_XYZ = ((1.656492, -0.354851, -0.255038), (-0.707196, 1.655397, 0.036152), (0.051713, -0.121364, 1.011530))
WHITE: Color = (255, 255, 255)


def to_hs(color: Color) -> tuple[float, float]:
    """Return hue (0 to 360) and saturation (0 to 100), with three decimals."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    return round(hue * 360, 3), round(saturation * 100, 3)


def from_hs(hue: float, saturation: float) -> Color:
    """Return the colour of this hue (0 to 360) and saturation (0 to 100)."""
    share = max(0.0, min(1.0, saturation / 100))
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, share, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def to_xy(color: Color) -> tuple[float, float]:
    """Return x and y, with three decimals."""
    light = [_linear(part / 255) for part in color]
    x, y, z = (sum(a * b for a, b in zip(row, light, strict=True)) for row in (_TO_X, _TO_Y, _TO_Z))
    total = x + y + z
    return (round(x / total, 3), round(y / total, 3)) if total else (0.0, 0.0)


def from_xy(x: float, y: float) -> Color:
    """Return the colour at x and y, at full brightness. Raises ValueError for a place that no light has."""
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError("x and y of no colour")
    xyz = (x / y, 1.0, (1 - x - y) / y)
    light = [max(0.0, sum(a * b for a, b in zip(row, xyz, strict=True))) for row in _FROM_XYZ]
    brightest = max(light)
    if not brightest > 0:
        raise ValueError("x and y of no colour")
    red, green, blue = (round(255 * _curved(part / brightest)) for part in light)
    return red, green, blue


def full(color: Color) -> Color:
    """Return the same colour at full brightness: what a lamp that mixes both in one told."""
    brightest = max(color)
    if brightest == 0:
        return color
    red, green, blue = (round(part * 255 / brightest) for part in color)
    return red, green, blue


def with_white(color: Color) -> tuple[int, int, int, int]:
    """Return red, green, blue and white, the part that all three share given to the white light."""
    white = min(color)
    parts = [part - white for part in color] + [white]
    grown = max(color) / max(parts) if max(parts) else 1.0
    red, green, blue, white = (round(part * grown) for part in parts)
    return red, green, blue, white


def mired(kelvin: float) -> int:
    """Return a colour temperature in mired, rounded down."""
    return math.floor(1e6 / kelvin)


def kelvin(mireds: float) -> int:
    """Return a colour temperature in kelvin, rounded down. Raises ValueError for what is none."""
    if not mireds > 0:
        raise ValueError("not a colour temperature")
    return math.floor(1e6 / mireds)


def _linear(part: float) -> float:
    return ((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92


def _curved(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
