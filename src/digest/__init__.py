"""Digest: what really changed among language models this week, mailed to those who asked, once."""

__version__ = "0.1.0"
