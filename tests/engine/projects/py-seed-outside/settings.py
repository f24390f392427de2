HOME = '/var/lib/seeds'
