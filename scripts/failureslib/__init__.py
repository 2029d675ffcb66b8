"""The catalogue of failures, as a page; see ``scripts/failures``."""
