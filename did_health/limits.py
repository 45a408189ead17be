"""Every limit, named, in one place. Whatever exceeds one is refused with ``FormatError`` before work is spent on it."""

from __future__ import annotations

from typing import Final

# documents
MAX_DOCUMENT_BYTES: Final = 1 << 20
"""Largest JSON document that is parsed, in bytes."""
MAX_DOCUMENT_DEPTH: Final = 64
"""Deepest nesting of JSON or CBOR containers."""
MAX_CBOR_BYTES: Final = 1 << 20
MAX_MULTIBASE_CHARACTERS: Final = 1 << 16
"""Longest base58btc text decoded (its cost is quadratic); base64url is bounded by the document."""
MAX_MULTIKEY_CHARACTERS: Final = 512
MAX_URL_CHARACTERS: Final = 2048
MAX_TIMESTAMP_CHARACTERS: Final = 64

# credentials and proofs
MAX_PROOFS: Final = 16
"""Proofs on one document (sets and chains together)."""
MAX_PROOF_VALUE_CHARACTERS: Final = 256
"""``proofValue`` of a proof that is one signature: 133 characters for P-384."""
MAX_DISCLOSURE_VALUE_CHARACTERS: Final = 1 << 18
"""``proofValue`` of a selective-disclosure suite: with one P-256 signature a statement, 2,900 of them."""
MAX_POINTERS: Final = 1_024
"""JSON pointers that select what is disclosed."""
MAX_POINTER_CHARACTERS: Final = 2048
MAX_BBS_MESSAGES: Final = 1_024
"""Messages of one BBS signature: each needs a generator, which takes 0.2 ms to make when it is first needed."""
MAX_CLOCK_SKEW_SECONDS: Final = 300
"""How far in the future a proof may have been created: no two clocks agree."""
MAX_CREDENTIALS_PER_PRESENTATION: Final = 32
MAX_STATUS_ENTRIES: Final = 16
"""``credentialStatus`` members of one credential."""
MAX_DIGESTS: Final = 16
"""Digests of one related resource in one of its two notations."""
MAX_STATUS_LIST_BYTES: Final = 16 << 20
"""Largest status list after decompression, in bytes (134 million one-bit entries)."""
MIN_STATUS_LIST_ENTRIES: Final = 131_072
"""Bitstring Status List 1.0 §6: herd privacy."""
MAX_SCHEMA_FAULTS: Final = 20
"""Faults that the explanation of a schema's refusal lists."""
MAX_BLANK_NODES: Final = 256
"""Blank nodes of a document to canonicalise as RDF."""
MAX_BLANK_NODE_WORK: Final = 20_000
"""Orders of blank nodes that look alike which RDFC-1.0 may try: less than half a second."""
MAX_QUADS: Final = 10_000
MAX_COMPILED_SCOPES: Final = 1_000
"""Places of documents for which the terms of JSON-LD contexts are remembered; then they are forgotten, all at once."""
MAX_COMPILED_DEPTH: Final = 16
"""Objects in objects of a document that goes by the compiled contexts; a deeper one goes the general way."""

# JOSE, COSE and SD-JWT
MAX_TOKEN_CHARACTERS: Final = 2 << 20
"""Longest JWS or SD-JWT, its disclosures included."""
MAX_JOSE_HEADER_CHARACTERS: Final = 1 << 14
"""Longest protected header of a JWS, in base64url."""
MAX_JWS_SIGNATURES: Final = 16
"""Signatures of one JWS in the JSON serialization."""
MAX_JWK_SET_KEYS: Final = 256
MAX_DISCLOSURES: Final = 1_000
"""Disclosures of one SD-JWT."""
MAX_DECOYS: Final = 1_000
"""Decoy digests of one SD-JWT."""
MAX_KEY_BINDING_AGE_SECONDS: Final = 600
"""How old a Key Binding JWT may be."""

# DIDs
MAX_DID_CHARACTERS: Final = 2048
MAX_VERIFICATION_METHODS: Final = 256
"""Verification methods of one DID document."""
MAX_DID_LOG_BYTES: Final = 4 << 20
MAX_DID_LOG_ENTRIES: Final = 1_000
MAX_ANNOUNCED_SERVICES: Final = 16
"""Services that an institution's DID document names."""
MAX_DID_WITNESSES: Final = 64
MAX_DID_WITNESS_BYTES: Final = 1 << 20

# bundles for a shift
MAX_SHIFT_BOARDS: Final = 64
"""Boards whose evidence one bundle carries."""
MAX_SHIFT_TYPES: Final = 32
"""Types of credentials in one bundle."""
MAX_STATUS_SETS: Final = 4
"""Sets of status lists of one board that are looked for."""

# transparency logs
MAX_TREE_SIZE: Final = (1 << 63) - 1
"""Most leaves of a log; POSIX timestamps of cosignatures have the same bound (C2SP tlog-cosignature)."""
MAX_NOTE_BYTES: Final = 1 << 16
MAX_NOTE_SIGNATURES: Final = 64
MAX_PROOF_HASHES: Final = 63
"""Hashes of an inclusion or consistency proof (C2SP tlog-witness)."""
MAX_ENTRY_BYTES: Final = 65_535
"""Largest ledger entry (C2SP tlog-tiles: lengths have 16 bits)."""
MAX_TLOG_PROOF_BYTES: Final = 1 << 18
"""Largest tlog-proof file: a note, 63 hashes and an entry as extra data, in base64."""
MAX_COSIGNATURE_SKEW_SECONDS: Final = 60
"""How far ahead of our clock a cosignature's timestamp may be."""
MAX_MAP_PROOF_BYTES: Final = 8_302
"""Largest proof of the map: 256 siblings, their bitmap and a leaf."""
MAX_MAP_HEAD_BYTES: Final = 128
"""Largest document of a map head: a name, a hash and two numbers."""
MAX_LATEST_BUNDLE_BYTES: Final = 1 << 18
"""Largest bundle for a newest entry: a note, an entry, 63 hashes and a map proof."""
MAX_MAP_TOP_BITS: Final = 20
"""Levels of the map's tree that are kept in memory: 84 MB."""
MAX_POLICY_BYTES: Final = 1 << 16
MAX_POLICY_LINES: Final = 1_024
MAX_BATCH_ENTRIES: Final = 10_000
MAX_AUTHOR_ENTRIES_PER_HOUR: Final = 36_000
"""Entries that a ledger takes from one author within an hour."""
MAX_ISSUANCE_BATCH: Final = 1 << 20
"""Credentials under one issuance batch root."""

# network
MAX_RESPONSE_BYTES: Final = 8 << 20
MAX_REDIRECTS: Final = 3
MAX_GATHER_ROUNDS: Final = 6
MAX_GATHER_BYTES: Final = 32 << 20
MAX_NEEDS_PER_ROUND: Final = 128
MAX_CONCURRENT_REQUESTS: Final = 8
REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""For one fetch as a whole: its redirects, its connections and its body."""

# services
MAX_ADD_CHECKPOINT_BYTES: Final = MAX_NOTE_BYTES + 64 * (MAX_PROOF_HASHES + 1)
"""Largest request to a witness: a note, the old size and 63 hashes, none of whose lines is longer than 45 bytes."""
MAX_SUBMISSIONS: Final = 1_000
"""Entries of one request to a ledger."""
MAX_SUBMISSION_BYTES: Final = 4 << 20
"""Largest request to a ledger: entries with their documents."""
MAX_SUBMISSION_ANSWER_BYTES: Final = MAX_NOTE_BYTES + MAX_SUBMISSIONS * (32 * MAX_PROOF_HASHES + 16)
"""Largest answer to it: a note, and for each entry its index and up to 63 hashes."""
MAX_WAITING_SUBMISSIONS: Final = 256
"""Requests that wait for a ledger's next batch; more are told to come back."""
MAX_SUBMISSION_WAIT_SECONDS: Final = 20.0
"""How long a request waits for its entries to be published, before it is told how they stand."""
MAX_BODY_SECONDS: Final = 10.0
"""How long a client may take to send a request's body."""
MAX_REQUEST_HEAD_BYTES: Final = 16_384
"""Request line and headers together."""
MAX_HEAD_SECONDS: Final = 10.0
"""How long a client may take to send them, from its connecting or their first byte on."""
MAX_SERVICE_CONNECTIONS: Final = 512
"""Connections that one service has open at a time; more are answered 503."""
MAX_DOCUMENT_BUNDLE_BYTES: Final = 4 << 20
"""Documents of up to 256 entries in one answer; where they are larger, each has to be asked for."""
MAX_KEPT_ANSWERS_BYTES: Final = 32 << 20
"""Tiles and documents that a service keeps in memory, all together: the full tiles of a million entries."""
MAX_KEPT_ANSWER_BYTES: Final = 1 << 18
"""The largest of them; a usual entry bundle has 80 kB."""
MAX_SHUTDOWN_SECONDS: Final = 5
"""How long a service that was told to end waits for the requests that it has begun."""
MAX_RATED_CLIENTS: Final = 10_000
"""Clients whose rate is remembered; the one that has been silent for longest is forgotten first."""
MAX_REQUESTS_PER_MINUTE: Final = 1_000_000
"""Highest rate per client that can be configured."""
MAX_REQUEST_ITEMS: Final = 256
"""Items of one list in a request to a VC-API, such as JSON pointers."""
MAX_STATUS_CREDENTIALS: Final = 100_000
"""Credentials of a VC-API whose status can be changed; the oldest is forgotten first."""
MAX_STATUS_LISTS: Final = 256
"""Status lists of a VC-API: up to 144 kB each in memory."""
MAX_BEARER_TOKENS: Final = 1_024
"""Tokens that a service accepts."""
MAX_CERTIFICATE_DAYS: Final = 90
"""How long a certificate that a service makes for itself is valid."""
MAX_ACCEPT_RANGES: Final = 32
"""Media ranges of an ``Accept`` header that are looked at."""
MAX_RESOLVER_BODY_BYTES: Final = 1 << 14
"""The options of one resolution, as JSON."""
MAX_DIRECTORY_RESULTS: Final = 20
"""Credentials in one answer of a board's directory."""
MAX_DIRECTORY_PAGES: Final = 10
"""Answers to one look-up that a client reads."""
MAX_DIRECTORY_BYTES: Final = 4 << 20
"""Largest answer of a board's directory: so many credentials, and the lists and records that they are judged by."""
MAX_DIRECTORY_ITEMS: Final = 256
"""Documents of the ledger that a board's directory keeps for some seconds."""
MAX_TRQP_QUERY_BYTES: Final = 1 << 14
"""A question to a trust registry."""
MAX_TRQP_IDENTIFIER_CHARACTERS: Final = 2_048
"""One identifier in it: as long as a DID."""
MAX_TRQP_CONTEXT_MEMBERS: Final = 32
MAX_TRQP_CONTEXT_CHARACTERS: Final = 1_024
"""One condition of it, with its name."""
MAX_TRQP_ANSWER_BYTES: Final = 1 << 16
"""Largest answer of a trust registry that a client reads."""
MAX_TRQP_MESSAGE_CHARACTERS: Final = 1_024
"""So much is kept of what it says to people."""
MAX_TRQP_ANSWER_AGE_SECONDS: Final = 300
"""How far its clock may be from the client's, or how old its answer may be."""
MAX_CONFIG_BYTES: Final = 1 << 18
MAX_SETTING_CHARACTERS: Final = 4096
"""One text of a configuration."""
MAX_FOLLOWED_LOGS: Final = 1_024
"""Log keys that one witness trusts."""
MAX_WATCHED: Final = 4_096
"""Items of one list of what a monitor watches."""
MAX_KNOWN_BYTES: Final = 64 << 20
"""File of the digests of everything that somebody wrote: about a million."""
MAX_MONITOR_STATE_BYTES: Final = 64 << 20
"""What a monitor remembers between two looks, with the notices that its webhook has not taken."""
MAX_UNSENT_NOTICES: Final = 1_000
"""Notices that wait for a webhook; beyond that the oldest are given up, which is said."""

# files and secrets
MAX_KEY_FILE_BYTES: Final = 1 << 16
MAX_WALLET_BYTES: Final = 32 << 20
MAX_ARGON2_MEMORY_BYTES: Final = 1 << 30
"""A sealed file that asks for more memory than this is refused, not obeyed."""
MAX_ARGON2_OPERATIONS: Final = 16
MIN_PASSPHRASE_CHARACTERS: Final = 8
MAX_PASSPHRASE_BYTES: Final = 4096
"""Largest passphrase file."""

# healthcare
MAX_CODE_SET_BYTES: Final = 8 << 20
"""A table of codes that a caller loads, such as the NUCC's."""
MAX_GUARDIANS: Final = 16
"""SLIP-0039 has so many shares in a group."""
MAX_SHARE_CHARACTERS: Final = 1_024
MAX_UNDO_SECONDS: Final = 90 * 86_400
"""Longest window in which a board may undo a decision."""
MAX_DELEGATION_USES: Final = 1_000
"""How often one delegation of a patient's can be used."""
MAX_TABLE_BYTES: Final = 4 << 20
"""A table of facts that change, such as the members of a compact."""
MAX_TABLE_ROWS: Final = 20_000
MAX_PURPOSE_AGE_SECONDS: Final = 366 * 86_400
"""Oldest evidence that a purpose policy can allow."""
MAX_ACTIVITY: Final = 20_000
"""Receipts of verifications that one wallet keeps."""
MAX_RECEIPTS_PER_BATCH: Final = 10_000
"""Verification receipts that go to the ledger under one root."""
MAX_REQUEST_BYTES: Final = 1 << 16
"""What a verifier asks of a holder."""
MAX_REQUEST_AGE_SECONDS: Final = 3_600
"""How long a counter takes an answer to its request; what remembers nonces remembers them for as long at least."""
MAX_OVERRIDE_NOTE_CHARACTERS: Final = 500
"""What a pharmacist writes beside the code of an override."""
MAX_PORTRAIT_BYTES: Final = 1 << 21
"""The file of a portrait."""
MAX_PRESCRIBER_CHECK_BYTES: Final = 1 << 18
"""What a counter keeps of the check of a prescriber."""
MAX_IMPORT_LINE_BYTES: Final = 1 << 16
"""One line of CSV that licences are issued from."""
MAX_IMPORT_SKIPPED_BYTES: Final = 16 << 20
"""A longer line is skipped up to its end; if that has not come after so many bytes, the rest is not read."""
MAX_IMPORT_COLUMNS: Final = 256
MAX_FHIR_RESOURCE_BYTES: Final = 1 << 20
"""One FHIR resource: a line of NDJSON."""
MAX_FHIR_DOCUMENT_BYTES: Final = 64 << 20
"""A FHIR Bundle, or another document that is not NDJSON and has to be read as a whole."""
MAX_FHIR_ROLES: Final = 200_000
"""PractitionerRoles of one file, whose specialties are kept in memory."""
MAX_FHIR_SKIPPED_BYTES: Final = 256 << 20
"""A line of NDJSON over its limit is skipped up to its end; if that has not come after so many bytes, the rest is not read."""
MAX_CLAIM_CHARACTERS: Final = 512
"""One text in a claim: a name, a line of an address."""
MAX_CLAIM_ITEMS: Final = 64
"""Entries of one list in a claim."""

# rosters
MAX_ROSTER_LINE_BYTES: Final = 1 << 20
"""One line of a roster in CSV, a credential inside it included."""
MAX_ROSTER_SKIPPED_BYTES: Final = 256 << 20
"""As ``MAX_FHIR_SKIPPED_BYTES``."""
MAX_ROSTER_COLUMNS: Final = 64
MAX_ROSTER_CANDIDATES: Final = 16
"""Licences of one row that a source may answer; more are no answer."""
MAX_ROSTER_CHUNK_ROWS: Final = 5_000
"""Rows that are verified together by one worker."""
MAX_ROSTER_WORKERS: Final = 256
MAX_ROSTER_FAILURES: Final = 3
"""Fetches from one host that fail one after the other; then it is not asked again for this roster."""
MAX_ROSTER_NOTES: Final = 100
"""Things that a report's header lists one by one, such as what could not be fetched; of more it tells the number."""
MAX_ROSTER_REPORT_BYTES: Final = 1 << 20
"""A report without its rows."""
MAX_ROSTER_RESULT_BYTES: Final = 4 << 20
"""What one row left behind: its result, or the row with all that was found for it."""
MAX_ROSTER_DAYS: Final = 1_100
"""Longest time between two reports."""
