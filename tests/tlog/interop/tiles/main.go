// Opens a log of ours with code that others wrote: golang.org/x/mod/sumdb/note and tlog.
//
//	tiles open VKEY DIR < requests      the log whose files lie in DIR; see the function open
//	tiles witness VKEY NAME KEY DIR     its checkpoint, by the key of the log and that of a witness, in hexadecimal
//	tiles sign NAME < text              a text signed by a new key; prints the vkey, and the note
//
// Ours are the paths of tiles, the bundles of entries, the three lines of a checkpoint and what a cosignature is over:
// sumdb has others, or none.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func path(level string, number int64, width int) string {
	name := fmt.Sprintf("%03d", number%1000)
	for number /= 1000; number > 0; number /= 1000 {
		name = fmt.Sprintf("x%03d/%s", number%1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return filepath.Join("tile", level, name)
}

type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), path(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) entry(n, size int64) ([]byte, error) {
	width := 256
	if n/256 == size/256 {
		width = int(size % 256)
	}
	data, err := os.ReadFile(filepath.Join(string(f), path("entries", n/256, width)))
	if err != nil {
		return nil, err
	}
	for skip := n % 256; ; skip-- {
		length := int(binary.BigEndian.Uint16(data))
		if skip == 0 {
			return data[2 : 2+length], nil
		}
		data = data[2+length:]
	}
}

func hashes(words []string) []tlog.Hash {
	found := make([]tlog.Hash, len(words))
	for i, word := range words {
		var err error
		found[i], err = tlog.ParseHash(word)
		check(err)
	}
	return found
}

func shown(proof []tlog.Hash) string {
	words := make([]string, len(proof))
	for i, h := range proof {
		words[i] = h.String()
	}
	return strings.Join(words, " ")
}

// open verifies the checkpoint, reads all tiles that it needs under its root, and answers each line that it is asked:
//
//	record N hash...          verifies this proof for entry N, and prints its own
//	tree OLD root hash...     verifies this proof that the tree continues that of OLD, and prints its own
func open(vkey, dir string) {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	data, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	fmt.Println("checkpoint", lines[0], size, root, len(opened.Sigs), len(opened.UnverifiedSigs))

	files := folder(dir)
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, files)
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		words := strings.Fields(scanner.Text())
		n, err := strconv.ParseInt(words[1], 10, 64)
		check(err)
		switch words[0] {
		case "record":
			entry, err := files.entry(n, size)
			check(err)
			leaf := tlog.RecordHash(entry)
			check(tlog.CheckRecord(hashes(words[2:]), size, root, n, leaf))
			own, err := tlog.ProveRecord(size, n, reader)
			check(err)
			check(tlog.CheckRecord(own, size, root, n, leaf))
			fmt.Println("record", n, shown(own))
		case "tree":
			old := hashes(words[2:3])[0]
			check(tlog.CheckTree(hashes(words[3:]), size, root, n, old))
			own, err := tlog.ProveTree(size, n, reader)
			check(err)
			computed, err := tlog.TreeHash(n, reader)
			check(err)
			check(tlog.CheckTree(own, size, root, n, computed))
			fmt.Println("tree", n, computed, shown(own))
		}
	}
}

// cosigner verifies tlog-cosignature/v1 for note.Open.
type cosigner struct {
	name string
	key  ed25519.PublicKey
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	digest := sha256.Sum256(append([]byte(c.name+"\n\x04"), c.key...))
	return binary.BigEndian.Uint32(digest[:])
}

func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func witness(vkey, name, key, dir string) {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	public, err := hex.DecodeString(key)
	check(err)
	data, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err)
	opened, err := note.Open(data, note.VerifierList(verifier, cosigner{name, public}))
	check(err)
	fmt.Println(len(opened.Sigs), len(opened.UnverifiedSigs))
}

func sign(name string) {
	text, err := io.ReadAll(os.Stdin)
	check(err)
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	check(err)
	signer, err := note.NewSigner(skey)
	check(err)
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	check(err)
	fmt.Println(vkey)
	fmt.Println(base64.StdEncoding.EncodeToString(signed))
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "open":
		open(os.Args[2], os.Args[3])
	case len(os.Args) == 6 && os.Args[1] == "witness":
		witness(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case len(os.Args) == 3 && os.Args[1] == "sign":
		sign(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: tiles open VKEY DIR | tiles witness VKEY NAME KEY DIR | tiles sign NAME")
		os.Exit(2)
	}
}
