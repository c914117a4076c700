"""A client of the wire, written from docs/wire.md."""
