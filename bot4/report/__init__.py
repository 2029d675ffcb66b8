"""What was traded and what it earned: read from the journal, exact to the last digit."""
