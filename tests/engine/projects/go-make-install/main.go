package main

import (
	"embed"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"os"

	"github.com/BurntSushi/toml"
)

//go:embed web/static
var static embed.FS

//go:embed web/index.html
var page string

//go:embed defaults.toml
var defaults string

var version = "dev"

type tile struct {
	Title string
	Value int
}

type config struct {
	Name  string
	Tiles []tile
}

func main() {
	var c config
	if _, err := toml.Decode(defaults, &c); err != nil {
		log.Fatal(err)
	}
	t := template.Must(template.New("page").Parse(page))
	sub, _ := fs.Sub(static, "web/static")
	http.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.FS(sub))))
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		t.Execute(w, map[string]interface{}{"C": c, "Version": version})
	})
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), nil))
}
