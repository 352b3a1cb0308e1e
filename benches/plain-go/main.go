// A plain volume plugin on Go's net/http: what most plugins are built on, and what voltergeist is measured against.
package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"sync"
)

type volume struct {
	Name       string
	Mountpoint string
	CreatedAt  string
	Status     map[string]string
}

func main() {
	var mutex sync.Mutex
	volumes := map[string]volume{}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/vnd.docker.plugins.v1+json")
		json.NewEncoder(w).Encode(value)
	}
	mux.HandleFunc("/VolumeDriver.Create", func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		mutex.Lock()
		volumes[request.Name] = volume{request.Name, "/var/lib/plain/" + request.Name, "2026-01-01T00:00:00Z", map[string]string{"Hello": "world"}}
		mutex.Unlock()
		answer(w, struct{}{})
	})
	mux.HandleFunc("/VolumeDriver.Get", func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		mutex.Lock()
		found, exists := volumes[request.Name]
		mutex.Unlock()
		if !exists {
			answer(w, map[string]string{"Err": "no such volume"})
			return
		}
		answer(w, map[string]volume{"Volume": found})
	})
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, mux))
}
