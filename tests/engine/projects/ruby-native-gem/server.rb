require "socket"
require "erb"
require "counter"

$stdout.sync = true
server = TCPServer.new("0.0.0.0", 4567)
puts "listening"
trap("TERM") { exit }
loop do
  client = server.accept
  path = client.gets.to_s.split[1]
  while (line = client.gets) && line != "\r\n"; end
  type, body =
    case path
    when "/style.css" then ["text/css", File.read(File.join(__dir__, "public/style.css"))]
    when "/visits" then ["text/plain", "#{Counter.visit(':memory:')} #{ENV['RACK_ENV']}\n"]
    else
      greeting = "Welcome"
      ["text/html", ERB.new(File.read(File.join(__dir__, "views/page.erb"))).result(binding)]
    end
  client.write "HTTP/1.1 200 OK\r\nContent-Type: #{type}\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}"
  client.close
end
