"""ToIP Trust Registry Query Protocol 2.0, without any transport: queries, answers, and what a registry record answers."""
