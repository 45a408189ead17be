"""The VC-API of the W3C Credentials Community Group: issuing, verifying and deriving credentials and proving presentations over HTTP."""
