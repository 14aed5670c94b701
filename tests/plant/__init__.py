"""A small shop, CRM, MES and partner API on real servers, which knows its own truth. README.md says how to use it."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "components"))  # whose ports.py all tests share

from .plant import Plant  # noqa: E402  pylint: disable=wrong-import-position

__all__ = ["Plant"]
