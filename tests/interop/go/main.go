// Command verifier checks a ledger over HTTP as a stranger would: with golang.org/x/mod's note and tlog, and nothing of did_health.
//
// It opens the checkpoint, counts its cosignatures, looks whether the log continues an older checkpoint, reads leaves all over the log
// and checks them against its tiles, and checks the proofs that subjects have an entry or none (docs/ledger-bundle.md). The first thing
// that is wrong ends it with status 1. Build: GO111MODULE=off GOPATH=/usr/share/gocode go build, with Debian's golang-go and
// golang-golang-x-mod-dev.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const maxBytes = 256 * (2 + 65535) // a full bundle of the longest entries

var (
	base      = flag.String("url", "", "the ledger's `URL`")
	logKey    = flag.String("log", "", "the log's `vkey`")
	witnesses = flag.String("witnesses", "", "the witnesses' `vkeys`, separated by commas")
	quorum    = flag.Int("quorum", 1, "how many witnesses must have cosigned")
	maxAge    = flag.Int64("max-age", 86400, "how many `seconds` old a checkpoint may be")
	now       = flag.Int64("now", time.Now().Unix(), "the time, in Unix `seconds`")
	older     = flag.String("older", "", "a `file` with an older checkpoint, which the log must continue")
	samples   = flag.Int64("samples", 64, "how many leaves to read, all over the log")
	present   = flag.String("present", "", "`subjects` that must have an entry: hex, separated by commas")
	absent    = flag.String("absent", "", "`subjects` that must have none")
)

func main() {
	flag.Parse()
	tree := openCheckpoint(get("checkpoint"), *maxAge)
	if *older != "" {
		data, err := os.ReadFile(*older)
		require(err == nil, "the older checkpoint cannot be read")
		requireConsistent(openCheckpoint(data, *now), tree)
	}
	require(*samples > 0, "at least one leaf is read")
	step := (tree.N + *samples - 1) / *samples
	for index := tree.N - 1; index >= 0; index -= step {
		readLeaf(tree, index)
	}
	for _, subject := range subjects(*present) {
		require(checkLatest(subject, tree), "subject %x has no entry", subject)
	}
	for _, subject := range subjects(*absent) {
		require(!checkLatest(subject, tree), "subject %x has an entry", subject)
	}
	fmt.Printf("in order: %d leaves\n", tree.N)
}

// require ends the program unless what must hold holds.
func require(holds bool, format string, values ...any) {
	if !holds {
		fmt.Printf("refused: "+format+"\n", values...)
		os.Exit(1)
	}
}

func subjects(list string) (all [][]byte) {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		subject, err := hex.DecodeString(word)
		require(err == nil && len(subject) == 32, "a subject has 64 hex digits")
		all = append(all, subject)
	}
	return all
}

func get(path string) []byte {
	response, err := http.Get(*base + "/" + path)
	require(err == nil, "%s cannot be had", path)
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBytes+1))
	require(err == nil && response.StatusCode == 200 && len(data) <= maxBytes, "%s cannot be had: %d", path, response.StatusCode)
	return data
}

// tiles reads a log's tiles for tlog. Before version 0.40 of x/mod, which Debian does not have, tlog leaves some of them unchecked
// (CVE-2026-56865), so every proof made of them is checked against the root.
type tiles struct{}

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (tiles) ReadTiles(wanted []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range wanted {
		content := get(tilePath(tile))
		require(len(content) == tile.W*tlog.HashSize, "%s has not %d hashes", tilePath(tile), tile.W)
		data = append(data, content)
	}
	return data, nil
}

// tilePath is C2SP's path; Go's has the height of tiles in it, and another name for those of entries.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func requireConsistent(old, new tlog.Tree) {
	if old.N > new.N {
		old, new = new, old
	}
	proof, err := tlog.ProveTree(new.N, old.N, tlog.TileHashReader(new, tiles{}))
	require(err == nil, "the tiles give no consistency proof: %v", err)
	err = tlog.CheckTree(proof, new.N, new.Hash, old.N, old.Hash)
	require(err == nil, "the log of %d leaves does not continue that of %d", new.N, old.N)
}

// readLeaf gives the entry with an index, which the tiles prove to be in the log.
func readLeaf(tree tlog.Tree, index int64) []byte {
	tile := tlog.Tile{H: 8, L: -1, N: index / 256, W: 256}
	if rest := tree.N - tile.N*256; rest < 256 {
		tile.W = int(rest)
	}
	var leaf []byte
	bundle := get(tilePath(tile))
	for number := 0; number < tile.W; number++ {
		require(len(bundle) >= 2, "%s is cut off", tilePath(tile))
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		require(len(bundle) >= end, "%s is cut off", tilePath(tile))
		if int64(number) == index%256 {
			leaf = bundle[2:end]
		}
		bundle = bundle[end:]
	}
	require(len(bundle) == 0, "%s is too long", tilePath(tile))
	proof, err := tlog.ProveRecord(tree.N, index, tlog.TileHashReader(tree, tiles{}))
	require(err == nil, "the tiles give no inclusion proof: %v", err)
	err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
	require(err == nil, "entry %d is not the leaf of the log", index)
	return leaf
}
