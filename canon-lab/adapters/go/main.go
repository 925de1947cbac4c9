// encoding/json, which sorts the keys of maps by their bytes: `go run .`
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime"
)

type request struct{ Cmd, Input string }

func canonicalize(text []byte) map[string]string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return map[string]string{"reject": err.Error()}
	}
	if decoder.More() {
		return map[string]string{"reject": "something follows the value"}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return map[string]string{"reject": err.Error()}
	}
	return map[string]string{"ok": hex.EncodeToString(bytes.TrimSuffix(out.Bytes(), []byte("\n")))}
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if json.Unmarshal(line, &asked) != nil {
			return
		}
		switch asked.Cmd {
		case "start":
			out.Encode(map[string]string{"name": "encoding/json", "version": runtime.Version(), "scheme": "go-sorted-map"})
		case "canonicalize":
			text, _ := hex.DecodeString(asked.Input)
			out.Encode(canonicalize(text))
		default:
			return
		}
	}
}
