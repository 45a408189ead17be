"""What goes into the log: entries, admission, sequencing, witnesses, issuance batches and their receipts."""
