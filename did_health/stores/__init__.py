"""What is kept: SQL databases and files."""
