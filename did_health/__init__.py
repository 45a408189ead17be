"""did_health: identity and verifiable credentials for US healthcare, anchored on witnessed transparency logs."""
