-- Gives each request an id of its own, as tracing clients do.
local count = 0

request = function()
  count = count + 1
  wrk.headers["X-Request-ID"] = tostring(count)
  return wrk.format()
end
