// Steers a running voltergeist from a test, with the standard library alone: go run control.go SOCKET
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

// Voltergeist is the control API on a Unix socket.
type Voltergeist struct{ client http.Client }

func connect(socket string) *Voltergeist {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Voltergeist{http.Client{Transport: &http.Transport{DialContext: dial}}}
}

func (v *Voltergeist) ask(method, path, body string) (string, error) {
	request, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := v.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", strings.TrimSpace(string(text)))
	}
	return strings.TrimSpace(string(text)), err
}

// Command runs a command line, as after : in the console.
func (v *Voltergeist) Command(line string) (string, error) {
	return v.ask("POST", "/v1/commands", line)
}

// Entry has the fields of an entry that this program needs.
type Entry struct {
	Seq     uint64
	Kind    string
	Command string
}

// Entries are those after a number.
func (v *Voltergeist) Entries(after uint64) ([]Entry, error) {
	text, err := v.ask("GET", fmt.Sprintf("/v1/entries?after=%d", after), "")
	if err != nil {
		return nil, err
	}
	var entries []Entry
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, lines.Err()
}

func main() {
	ghost := connect(os.Args[1])
	entries, err := ghost.Entries(0)
	check(err)
	last := entries[len(entries)-1].Seq
	for _, line := range []string{`arm mount: fail "device busy" once as busy`, "disarm busy"} {
		// Between the two the test runs docker, and looks at what that says.
		result, err := ghost.Command(line)
		check(err)
		fmt.Println(result)
	}
	entries, err = ghost.Entries(last)
	check(err)
	for _, entry := range entries {
		if entry.Kind == "command" {
			fmt.Println("command:", entry.Command)
		}
	}
	_, err = ghost.Command("arm mont: fail")
	fmt.Println("refused:", err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
