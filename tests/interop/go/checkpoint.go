package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	cosignatureType = 4  // C2SP signed-note: Ed25519 with a time
	maxSkew         = 60 // seconds by which a witness's clock may be ahead of ours
)

// witness verifies a witness's cosignatures (C2SP tlog-cosignature): eight bytes of time, then Ed25519 over the time and the note's text.
type witness struct {
	name string
	key  ed25519.PublicKey
}

func (w witness) Name() string { return w.name }

func (w witness) KeyHash() uint32 {
	sum := sha256.Sum256([]byte(w.name + "\n" + string(rune(cosignatureType)) + string(w.key)))
	return binary.BigEndian.Uint32(sum[:])
}

func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

func parseWitness(vkey string) witness {
	parts := strings.SplitN(vkey, "+", 3)
	require(len(parts) == 3, "a witness's vkey has three parts")
	data, err := base64.StdEncoding.DecodeString(parts[2])
	require(err == nil && len(data) == 1+ed25519.PublicKeySize && data[0] == cosignatureType, "a witness's vkey is not one for cosignatures")
	w := witness{parts[0], data[1:]}
	require(parts[1] == fmt.Sprintf("%08x", w.KeyHash()), "a witness's vkey has another key ID than its key")
	return w
}

func logVerifier() note.Verifier {
	verifier, err := note.NewVerifier(*logKey)
	require(err == nil, "the log's vkey is none: %v", err)
	return verifier
}

// openCheckpoint gives the tree under a checkpoint that the log signed, and the quorum cosigned not more than age seconds ago.
func openCheckpoint(data []byte, age int64) tlog.Tree {
	logOnly, err := note.Open(data, note.VerifierList(logVerifier()))
	require(err == nil, "the log did not sign the checkpoint: %v", err)
	lines := strings.Split(logOnly.Text, "\n")
	require(len(lines) == 4, "the checkpoint does not have three lines")
	size, _ := strconv.ParseInt(lines[1], 10, 64)
	root, _ := tlog.ParseHash(lines[2])
	written := fmt.Sprintf("%s\n%d\n%s\n", logVerifier().Name(), size, root)
	require(size > 0 && written == logOnly.Text, "the checkpoint is not one of this log, with an entry")

	var known []note.Verifier
	keys := map[uint32]string{}
	for _, vkey := range strings.Split(*witnesses, ",") {
		w := parseWitness(vkey)
		known = append(known, w)
		keys[w.KeyHash()] = string(w.key)
	}
	cosigned, err := note.Open(data, note.VerifierList(known...))
	require(err == nil, "no witness cosigned the checkpoint: %v", err)
	latest := map[string]int64{} // by key: a key counts once, whatever its names
	for _, signature := range cosigned.Sigs {
		blob, _ := base64.StdEncoding.DecodeString(signature.Base64) // note.Open did it before
		time := int64(binary.BigEndian.Uint64(blob[4:]))
		if key := keys[signature.Hash]; time > latest[key] && time <= *now+maxSkew {
			latest[key] = time
		}
	}
	var times []int64
	for _, time := range latest {
		times = append(times, time)
	}
	sort.Slice(times, func(i, j int) bool { return times[i] > times[j] })
	require(*quorum > 0 && len(times) >= *quorum, "%d witnesses cosigned the checkpoint, not %d", len(times), *quorum)
	require(*now-times[*quorum-1] <= age, "the checkpoint is too old")
	return tlog.Tree{N: size, Hash: root}
}
