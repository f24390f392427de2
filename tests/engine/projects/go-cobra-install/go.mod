module github.com/acme/wordtool

go 1.16

require github.com/spf13/cobra v1.2.1
