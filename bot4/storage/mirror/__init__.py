"""The copy of the journal in Supabase: always behind the trade, never in its way, never lost."""
