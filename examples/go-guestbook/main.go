// Guestbook shows who was here. Pages come from templates/, which are read at run time so that they can be changed in place.
package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gorilla/mux"
)

type entry struct {
	Name, Text string
}

var entries = []entry{
	{"Ada", "A fine place to count."},
	{"Grace", "No bugs found today."},
}

func page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := template.ParseFiles(filepath.Join("templates", "layout.html"), filepath.Join("templates", name))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		data := map[string]any{"Greeting": os.Getenv("GREETING"), "Entries": entries}
		if err := t.ExecuteTemplate(w, "layout", data); err != nil {
			log.Print(err)
		}
	}
}

func main() {
	router := mux.NewRouter()
	router.HandleFunc("/", page("index.html")).Methods(http.MethodGet)
	router.HandleFunc("/about", page("about.html")).Methods(http.MethodGet)
	router.PathPrefix("/static/").Handler(http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	log.Fatal(http.ListenAndServe(":8080", router))
}
