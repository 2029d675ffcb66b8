"""A real Supabase data API on this machine: PostgreSQL, PostgREST, a gateway with faults."""

from __future__ import annotations

from localsupabase.gateway import Gateway, open_gateway
from localsupabase.parts import Unavailable
from localsupabase.stack import Stack, open_stack

__all__ = ["Gateway", "Stack", "Unavailable", "open_gateway", "open_stack"]
