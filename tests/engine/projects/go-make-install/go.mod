module git.example.org/nadia/dash

go 1.19

require github.com/BurntSushi/toml v1.2.1
