# VCR: record.rb TARGET URL...
require "net/http"
require "vcr"

target, *urls = ARGV
VCR.configure do |config|
  config.cassette_library_dir = File.dirname(target)
  config.hook_into :webmock
end
form = File.extname(target) == ".json" ? :json : :yaml
name = File.basename(target, File.extname(target))
exact = name.include?("exact")
VCR.use_cassette(name, serialize_with: form, preserve_exact_body_bytes: exact) do
  urls.each { |url| Net::HTTP.get_response(URI(url), "Authorization" => "Token test-key") }
end
