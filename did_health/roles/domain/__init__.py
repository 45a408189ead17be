"""What healthcare makes of a credential that is otherwise in order: what its status means, which rules it is under, what scope it claims."""
