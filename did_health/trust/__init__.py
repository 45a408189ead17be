"""Who may issue what: registry records, entitlement, the trust policy."""
