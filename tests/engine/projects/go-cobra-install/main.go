package main

import (
	"os"

	"github.com/acme/wordtool/cmd"
)

func main() {
	if err := cmd.Root().Execute(); err != nil {
		os.Exit(1)
	}
}
