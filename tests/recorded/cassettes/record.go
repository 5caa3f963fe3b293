// go-vcr: record.go TARGET URL...
package main

import (
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/dnaeon/go-vcr/recorder"
)

func main() {
	tape, err := recorder.New(strings.TrimSuffix(os.Args[1], ".yaml"))
	if err != nil {
		panic(err)
	}
	client := &http.Client{Transport: tape}
	for _, url := range os.Args[2:] {
		request, _ := http.NewRequest("GET", url, nil)
		request.Header.Set("Authorization", "Token test-key")
		response, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	if err := tape.Stop(); err != nil {
		panic(err)
	}
}
