Gem::Specification.new do |spec|
  spec.name = "counter"
  spec.version = "0.1.0"
  spec.summary = "Counts visits in SQLite"
  spec.authors = ["Shop"]
  spec.files = Dir["lib/**/*.rb"] + Dir["ext/**/*.{c,rb}"]
  spec.extensions = ["ext/counter/extconf.rb"]
end
