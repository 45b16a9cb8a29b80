-- One closed-loop caller for benchmarks/load.py, run by wrk with one connection a thread.
-- Arguments: a file that lists image paths, one a line, the pause after an error 503 in milliseconds, and how many of
-- the images this caller sends in turn.
-- done() prints "answer <status> <seconds>" for each request that was answered.

local ffi = require("ffi")
ffi.cdef[[
  typedef struct { long seconds; long nanoseconds; } bincount_time;
  int clock_gettime(int clock, bincount_time *time);
]]

local CLOCK_MONOTONIC = 1
local threads = {}
local requests, turn, pause, sent, rejected = {}, 0, 0, 0, false
statuses, durations = {}, {}

local function now()
  local time = ffi.new("bincount_time")
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

local function written(path)
  local file = assert(io.open(path, "rb"))
  local body = file:read("*a")
  file:close()
  return wrk.format("POST", "/invocations", {["Content-Type"] = "image/jpeg"}, body)
end

function setup(thread)
  thread:set("first", #threads * 17)
  table.insert(threads, thread)
end

-- Requests are written before the first one is sent: reading and formatting would be the load's own CPU time, and all
-- callers would need it at once, in the very moment in which the server has to answer all of them.
function init(arguments)
  local images = {}
  for line in io.lines(arguments[1]) do table.insert(images, line) end
  pause = tonumber(arguments[2])
  for i = 0, math.min(tonumber(arguments[3]), #images) - 1 do
    table.insert(requests, written(images[(first + i) % #images + 1]))
  end
end

function request()
  local place = turn % #requests + 1
  turn = turn + 1
  sent = now()
  return requests[place]
end

function response(status)
  table.insert(statuses, status)
  table.insert(durations, now() - sent)
  rejected = status == 503
end

function delay()
  return rejected and pause or 0
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
