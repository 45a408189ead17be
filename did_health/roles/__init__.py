"""The words a caller uses: issuer (board), holder (wallet), verifier with its report and evidence."""
