package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// checkLatest checks the bundle of a subject (docs/ledger-bundle.md, "Verifying"), under a checkpoint of the same history as tree. It
// says whether the subject has an entry.
func checkLatest(subject []byte, tree tlog.Tree) bool {
	bundle := as[map[uint64]any](decode(get(fmt.Sprintf("latest/%x", subject))))
	newest, complete := bundle[7]
	require(complete && len(bundle) == 7 && as[uint64](bundle[1]) == 1, "a bundle of version 1 has the keys 1 to 7")
	under := openCheckpoint(as[[]byte](bundle[6]), *maxAge)
	requireConsistent(under, tree)

	index, head := as[uint64](bundle[3]), list(bundle[5], 6)
	require(index == uint64(under.N-1), "the map head is not the last leaf")
	origin := logVerifier().Name()
	document := encode(map[uint64]any{1: "did-health/map/v1", 2: index, 3: hash(head[4]), 4: as[uint64](head[5])})
	leaf := encode(map[uint64]any{
		1: uint64(1), 2: "map-head", 3: sum([]byte("did-health/subject/v1\x00map-head\x00" + origin)), 4: head[0], 5: head[1],
		6: sum(document), 7: origin, 8: head[2], 9: head[3],
	})
	var path tlog.RecordProof
	for hashes := as[[]byte](bundle[4]); len(hashes) > 0; hashes = hashes[32:] {
		require(len(hashes) >= 32, "a path is made of whole hashes")
		path = append(path, *(*tlog.Hash)(hashes[:32]))
	}
	err := tlog.CheckRecord(path, under.N, under.Hash, int64(index), tlog.RecordHash(leaf))
	require(err == nil, "the map head is not in the log")

	var value []byte
	if newest != nil {
		said := list(newest, 3)
		place, entry := as[uint64](said[0]), as[[]byte](said[1])
		fields := as[map[uint64]any](decode(entry))
		require(bytes.Equal(hash(fields[3]), subject), "the newest entry is of another subject")
		require(place < index && bytes.Equal(readLeaf(under, int64(place)), entry), "the newest entry is not where the bundle says")
		value = sum(encode(map[uint64]any{1: as[uint64](fields[4]), 2: place, 3: sum(entry), 4: hash(fields[6]), 5: as[uint64](said[2])}))
	}
	require(bytes.Equal(lookUp(as[[]byte](bundle[2]), subject, hash(head[4])), value), "the map has something else of the subject")
	return newest != nil
}

// lookUp gives the value of a key in the map with a root, or nil when the proof shows that the map does not have the key.
func lookUp(encoded, key, root []byte) (value []byte) {
	proof := list(decode(encoded), 4)
	depth, zeros, siblings := int(as[uint64](proof[0])), as[[]byte](proof[1]), as[[]byte](proof[2])
	require(depth >= 0 && depth <= 256 && len(zeros) == (depth+7)/8, "the map proof is of no depth that a map has")
	node := make([]byte, 32) // nothing
	switch end := proof[3].(type) {
	case nil:
		require(depth < 256, "the map proof ends in nothing below the last bit")
	case []byte:
		value = hash(end)
		node = sum([]byte{2}, key, value)
	default:
		other, its := hash(list(end, 2)[0]), hash(list(end, 2)[1])
		require(!bytes.Equal(other, key), "the map proof shows the key as another one")
		for at := 0; at < depth; at++ {
			require(bit(other, at) == bit(key, at), "the map proof ends in a leaf that is not on the key's path")
		}
		node = sum([]byte{2}, other, its)
	}
	for at := 0; at < 8*len(zeros); at++ { // from the lowest bit, the deepest split
		sibling := make([]byte, 32)
		marked := bit(zeros, 8*len(zeros)-1-at) == 1
		if at >= depth {
			require(!marked, "the map proof marks siblings beyond its depth")
			continue
		}
		if !marked {
			require(len(siblings) >= 32 && !bytes.Equal(siblings[:32], sibling), "the map proof lacks a sibling, or has one of zeros")
			sibling, siblings = siblings[:32], siblings[32:]
		}
		require(at > 0 || !marked, "the map proof has a split that separates nothing")
		if bit(key, depth-1-at) == 1 {
			node = sum([]byte{3}, sibling, node)
		} else {
			node = sum([]byte{3}, node, sibling)
		}
	}
	require(len(siblings) == 0 && bytes.Equal(node, root), "the map proof does not lead to the map's root")
	return value
}

func bit(data []byte, at int) byte { return data[at/8] >> (7 - at%8) & 1 }

func sum(parts ...[]byte) []byte {
	digest := sha256.Sum256(bytes.Join(parts, nil))
	return digest[:]
}

func hash(value any) []byte {
	data := as[[]byte](value)
	require(len(data) == 32, "a hash has 32 bytes")
	return data
}

func list(value any, length int) []any {
	items := as[[]any](value)
	require(len(items) == length, "a list of a bundle has not %d items", length)
	return items
}
