-- One closed-loop caller for benchmarks/load.py, run by wrk with one connection a thread.
-- Arguments: a file that lists image paths, one a line, and the pause after a refusal in milliseconds.
-- done() prints "answer <status> <seconds>" for each request that was answered.

local ffi = require("ffi")
ffi.cdef[[
  typedef struct { long seconds; long nanoseconds; } bincount_time;
  int clock_gettime(int clock, bincount_time *time);
]]

local CLOCK_MONOTONIC = 1
local threads = {}
local images, requests, turn, pause, sent, refused = {}, {}, 0, 0, 0, false
statuses, durations = {}, {}

local function now()
  local time = ffi.new("bincount_time")
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

function setup(thread)
  thread:set("first", #threads * 17)
  table.insert(threads, thread)
end

function init(arguments)
  for line in io.lines(arguments[1]) do table.insert(images, line) end
  pause = tonumber(arguments[2])
  turn = first
end

-- Each request is written once and then kept: reading files and formatting them would be the load's own CPU time.
local function written(path)
  local file = assert(io.open(path, "rb"))
  local body = file:read("*a")
  file:close()
  return wrk.format("POST", "/invocations", {["Content-Type"] = "image/jpeg"}, body)
end

function request()
  local place = turn % #images + 1
  requests[place] = requests[place] or written(images[place])
  turn = turn + 1
  sent = now()
  return requests[place]
end

function response(status)
  table.insert(statuses, status)
  table.insert(durations, now() - sent)
  refused = status == 503
end

function delay()
  return refused and pause or 0
end

function done(summary)
  for _, thread in ipairs(threads) do
    local thread_statuses, thread_durations = thread:get("statuses"), thread:get("durations")
    for i, status in ipairs(thread_statuses) do
      print(string.format("answer %d %.6f", status, thread_durations[i]))
    end
  end
  local errors = summary.errors
  print(string.format("broken %d", errors.connect + errors.read + errors.write + errors.timeout))
end
