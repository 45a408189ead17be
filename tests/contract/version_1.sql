-- The tables of version 1 as SQLAlchemy wrote them then: never to be changed.
CREATE TABLE settings (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE checkpoint (
	id INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	root BLOB NOT NULL, 
	pending BLOB, 
	published_size INTEGER NOT NULL, 
	published BLOB, 
	PRIMARY KEY (id), 
	CHECK (id = 1)
);
CREATE TABLE contents (
	digest BLOB NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE documents (
	url TEXT NOT NULL, 
	host TEXT NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (url)
);
CREATE INDEX ix_documents_host ON documents (host);
CREATE TABLE witness_states (
	origin TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	root BLOB NOT NULL, 
	PRIMARY KEY (origin)
);
CREATE TABLE credentials (
	position INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	issuer TEXT NOT NULL, 
	type TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	number TEXT NOT NULL, 
	status_set TEXT NOT NULL, 
	status_index INTEGER NOT NULL, 
	issued_at INTEGER NOT NULL, 
	document BLOB NOT NULL, 
	receipt BLOB NOT NULL, 
	revoked INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (position), 
	UNIQUE (id)
);
CREATE UNIQUE INDEX credentials_by_number ON credentials (number, issuer, type, revoked) WHERE number <> '';
CREATE INDEX credentials_by_subject ON credentials (subject);
CREATE TABLE status_sets (
	status_set TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	allocated BLOB NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (status_set)
);
CREATE TABLE status_lists (
	url TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	document BLOB NOT NULL, 
	PRIMARY KEY (url)
);
CREATE TABLE entries (
	position INTEGER NOT NULL, 
	leaf_hash BLOB NOT NULL, 
	subject BLOB NOT NULL, 
	seq INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	author TEXT NOT NULL, 
	admitted INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (position), 
	UNIQUE (subject, seq), 
	FOREIGN KEY(content) REFERENCES contents (digest)
);
CREATE INDEX entries_by_author ON entries (author, admitted);
CREATE TABLE status_changes (
	position INTEGER NOT NULL, 
	credential TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	value INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	board_order TEXT NOT NULL, 
	effective INTEGER NOT NULL, 
	recorded INTEGER NOT NULL, 
	PRIMARY KEY (position), 
	FOREIGN KEY(credential) REFERENCES credentials (id)
);
CREATE INDEX ix_status_changes_credential ON status_changes (credential);
PRAGMA application_id = 1684628552;
PRAGMA user_version = 1;
