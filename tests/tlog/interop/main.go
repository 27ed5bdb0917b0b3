// Opens our checkpoints and verifies our proofs with Go's golang.org/x/mod/sumdb, of which nothing was written here.
//
// It reads JSON lines from its standard input and answers each with "ok" or with what was wrong. Go's own reader of
// tree notes, and its tile paths, are of another format; the few lines below that read a checkpoint's text are ours.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Vkey    string
	Note    string
	Entry   string
	Index   int64
	Proof   []string
	OldSize int64
	OldRoot string
}

func hashOf(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) != len(hash) {
		return hash, fmt.Errorf("no hash: %q", text)
	}
	copy(hash[:], data)
	return hash, nil
}

func check(asked question) error {
	verifier, err := note.NewVerifier(asked.Vkey)
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 1 {
		return fmt.Errorf("%d signatures", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return fmt.Errorf("no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := hashOf(lines[2])
	if err != nil {
		return err
	}
	var proof []tlog.Hash
	for _, text := range asked.Proof {
		hash, err := hashOf(text)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	if asked.OldSize > 0 {
		old, err := hashOf(asked.OldRoot)
		if err != nil {
			return err
		}
		return tlog.CheckTree(tlog.TreeProof(proof), size, root, asked.OldSize, old)
	}
	entry, err := base64.StdEncoding.DecodeString(asked.Entry)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(tlog.RecordProof(proof), size, root, asked.Index, tlog.RecordHash(entry))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		var asked question
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			err = check(asked)
		}
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		fmt.Println("ok")
	}
}
