"""A small shop, CRM, MES and partner API on real servers, which knows its own truth. README.md says how to use it."""

from .plant import Plant

__all__ = ["Plant"]
