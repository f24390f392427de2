require "mkmf"

abort "sqlite3 is missing" unless have_library("sqlite3", "sqlite3_open")
create_makefile("counter/counter")
