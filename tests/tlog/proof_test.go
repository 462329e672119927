// Package tlog checks the log part of an evidence bundle with somebody else's code: the note and tree
// packages of Go's checksum database. It shares nothing with the rest of the project but the files.
package tlog

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proof is a c2sp.org/tlog-proof@v1, taken apart.
type proof struct {
	index  int64
	hashes tlog.RecordProof
	size   int64
	root   tlog.Hash
}

func hash(t *testing.T, text string) tlog.Hash {
	t.Helper()
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(bytes) != tlog.HashSize {
		t.Fatalf("not a hash: %q", text)
	}
	return tlog.Hash(bytes)
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func read(t *testing.T, path string) string {
	t.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

// open reads a proof whose checkpoint the key has signed.
func open(t *testing.T, text string, key note.Verifier) proof {
	t.Helper()
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		t.Fatalf("not a proof: %q", text)
	}
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(key))
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(opened.Text, "\n")
	if said[0] != key.Name() {
		t.Fatalf("the log %q signed for %q", key.Name(), said[0])
	}
	p := proof{size: number(t, said[1]), root: hash(t, said[2])}
	p.index = number(t, strings.TrimPrefix(lines[1], "index "))
	for _, line := range lines[2:] {
		p.hashes = append(p.hashes, hash(t, line))
	}
	return p
}

func TestEveryEntryIsInTheLog(t *testing.T) {
	dir := os.Getenv("SATCHEL_EVIDENCE_OUT")
	if dir == "" {
		t.Fatal("SATCHEL_EVIDENCE_OUT names no folder; run scripts/test-tlog")
	}
	key, err := note.NewVerifier(strings.TrimSpace(read(t, filepath.Join(dir, "log.vkey"))))
	if err != nil {
		t.Fatal(err)
	}
	proofs, _ := filepath.Glob(filepath.Join(dir, "*.tlog-proof"))
	if len(proofs) == 0 {
		t.Fatal("there is no proof to check")
	}
	for _, path := range proofs {
		header := read(t, strings.TrimSuffix(path, ".tlog-proof")+".header")
		p := open(t, read(t, path), key)
		leaf := tlog.RecordHash([]byte(header))
		if err := tlog.CheckRecord(p.hashes, p.size, p.root, p.index, leaf); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		other := tlog.RecordHash([]byte(header + "x"))
		if tlog.CheckRecord(p.hashes, p.size, p.root, p.index, other) == nil {
			t.Errorf("%s: another entry passes as well", path)
		}
	}
}
