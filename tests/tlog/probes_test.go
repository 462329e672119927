package tlog

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	reference "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
)

// probe is a claim about a tree: for inclusion a leaf and its place, for consistency an older tree.
type probe struct {
	kind   string
	a, b   uint64
	first  []byte
	root   []byte
	hashes [][]byte
}

// believed is what the reference says of it.
func (p probe) believed() bool {
	if p.kind == "inclusion" {
		return reference.VerifyInclusion(rfc6962.DefaultHasher, p.a, p.b, p.first, p.hashes, p.root) == nil
	}
	return reference.VerifyConsistency(rfc6962.DefaultHasher, p.a, p.b, p.hashes, p.first, p.root) == nil
}

func flipped(bytes []byte, bit int) []byte {
	out := append([]byte{}, bytes...)
	if len(out) > 0 {
		out[bit/8%len(out)] ^= 1 << (bit % 8)
	}
	return out
}

// wrongs are all the ways to spoil a good claim, some of which may happen to stay good.
func (p probe) wrongs() []probe {
	var out []probe
	with := func(change func(*probe)) {
		q := p
		q.hashes = append([][]byte{}, p.hashes...)
		change(&q)
		out = append(out, q)
	}
	with(func(q *probe) { q.a++ })
	with(func(q *probe) { q.a-- })
	with(func(q *probe) { q.a ^= 2 })
	with(func(q *probe) { q.b++ })
	with(func(q *probe) { q.b-- })
	with(func(q *probe) { q.b *= 2 })
	with(func(q *probe) { q.first, q.root = q.root, q.first })
	with(func(q *probe) { q.first = flipped(q.first, int(p.b)) })
	with(func(q *probe) { q.root = flipped(q.root, int(p.a)) })
	with(func(q *probe) { q.root = rfc6962.DefaultHasher.EmptyRoot() })
	with(func(q *probe) { q.hashes = append(q.hashes, q.root) })
	with(func(q *probe) { q.hashes = append([][]byte{q.first}, q.hashes...) })
	with(func(q *probe) { q.hashes = nil })
	for i := range p.hashes {
		with(func(q *probe) { q.hashes = append(q.hashes[:i], q.hashes[i+1:]...) })
		with(func(q *probe) { q.hashes[i] = flipped(q.hashes[i], i+int(p.a)) })
		with(func(q *probe) { q.hashes[i] = q.root })
	}
	for i := 1; i < len(p.hashes); i++ {
		with(func(q *probe) { q.hashes[i-1], q.hashes[i] = q.hashes[i], q.hashes[i-1] })
	}
	return out
}

// TestReferenceProbes writes claims about trees, good and spoiled, with the verdict of transparency-dev's
// implementation, for ours to agree with (scripts/test-tlog).
func TestReferenceProbes(t *testing.T) {
	dir := os.Getenv("SATCHEL_PROBES_OUT")
	if dir == "" {
		t.Skip("SKIPPED: run scripts/test-tlog")
	}
	file, err := os.Create(filepath.Join(dir, "probes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	defer out.Flush()
	tree := testonly.New(rfc6962.DefaultHasher)
	for n := 0; n < 33; n++ {
		tree.AppendData([]byte(fmt.Sprintf("leaf %d", n)))
	}
	write := func(p probe) {
		// A tree without leaves says nothing about a later one; ours refuses to be asked.
		if p.kind == "consistency" && p.a == 0 {
			return
		}
		hashes := make([]string, 0, len(p.hashes))
		for _, h := range p.hashes {
			hashes = append(hashes, hex.EncodeToString(h))
		}
		fmt.Fprintf(out, "%s %d %d %x %x %t %s\n", p.kind, p.a, p.b, p.first, p.root, p.believed(),
			strings.Join(hashes, ","))
	}
	for size := uint64(1); size <= 33; size++ {
		for at := uint64(0); at < size; at++ {
			path, err := tree.InclusionProof(at, size)
			if err != nil {
				t.Fatal(err)
			}
			good := probe{"inclusion", at, size, tree.LeafHash(at), tree.HashAt(size), path}
			write(good)
			for _, wrong := range good.wrongs() {
				write(wrong)
			}
			path, err = tree.ConsistencyProof(at+1, size)
			if err != nil {
				t.Fatal(err)
			}
			good = probe{"consistency", at + 1, size, tree.HashAt(at + 1), tree.HashAt(size), path}
			write(good)
			for _, wrong := range good.wrongs() {
				write(wrong)
			}
		}
	}
}
