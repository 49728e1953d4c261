-- Replays signed requests from a file, each once: 4 bytes of length, then the request as it goes out.
-- wrk itself ends after a time only: a line `all` tells that every request was answered.
-- Run as: wrk -t1 -c64 -s signed_routes.lua URL -- FILE
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long us; } moment; int gettimeofday(moment *at, void *zone);")
local now = ffi.new("moment")

local requests, at, threads = {}, 0, {}
-- Global, so that they can be asked for when all is done.
good, bad, why, began, ended = 0, 0, "", 0, 0

local function seconds()
  ffi.C.gettimeofday(now, nil)
  return tonumber(now.s) + tonumber(now.us) / 1e6
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local head = file:read(4)
    if not head then break end
    local a, b, c, d = head:byte(1, 4)
    requests[#requests + 1] = file:read(((a * 256 + b) * 256 + c) * 256 + d)
  end
  file:close()
  host = requests[1]:match("Host: ([^\r]+)")
end

function request()
  if not looked_at then -- wrk asks once before it begins, to see what will be sent.
    looked_at = true
    return requests[1]
  end
  if at == 0 then began = seconds() end
  at = at + 1
  -- All are sent: the last ones are waited for, and what is asked beyond them does not count.
  -- They get 404, which nothing that is measured gets; a wrong Host would be told apart from none.
  return requests[at] or "GET /no-such-page HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n"
end

function response(status, headers, body)
  if status == 404 then return end
  if status == 200 or status == 201 then
    good = good + 1
  else
    bad = bad + 1
    if why == "" then why = status .. " " .. body:sub(1, 300) end
  end
  if good + bad == #requests then
    ended = seconds()
    wrk.thread:stop()
    print("all")
    io.flush()
  end
end

function done(summary, latency, _)
  local thread = threads[1]
  io.write(string.format(
    '{"good": %d, "bad": %d, "why": %q, "seconds": %.6f, "p99_ms": %.3f}\n',
    thread:get("good"), thread:get("bad"), thread:get("why"),
    thread:get("ended") - thread:get("began"), latency:percentile(99) / 1e3))
end
