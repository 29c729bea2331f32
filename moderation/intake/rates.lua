-- Charges a group of submissions to one site: each to all of its cells (GCRA), or to none; and counts earlier sightings of
-- each text. What it computes is described, in Python, in domain/rates.py (RateBook); a property test holds the two together.
--
-- Times are whole microseconds of the server's own clock. Lua's numbers are doubles, exact to 2^53; these stay below 2^51.
-- Every key is declared, carries the site's hash tag, and expires. All reads come first and all writes last.
--
-- KEYS   1      the site's cell; then four for each submission: text, and the cells of author, address, thread.
--        Where there is no such cell, the text key stands in its place.
-- ARGV   1      the time in microseconds, for tests; empty: the server's clock
--        2..9   interval and tolerance in microseconds of author, address, thread, site; interval 0: off
--        10...  for each submission the 8 bytes by which its sighting is told from others
-- Returns six whole numbers for each submission, in order:
--        0 denied, 1 charged, 2 charged before and free; sightings of the text by others;
--        how far each cell is ahead of the clock in microseconds, -1 where there is none.

local FREE_S = 600
local SIGHTINGS_S = 24 * 3600
local MAX_SIGHTINGS = 1000
local ENTRY_BYTES = 18   -- 8 that tell whose sighting it is, then the second it was seen in, as ten digits
local SLACK_MS = 60000   -- keys live longer than they count, so that what counts is decided here alone

local KEYS, ARGV = KEYS, ARGV
local call, tonumber, find, sub, format = redis.call, tonumber, string.find, string.sub, string.format

local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
local now_s = math.floor(now / 1000000)
local digits = format('%010d', now_s)

local interval, tolerance = {}, {}
for rule = 1, 4 do
  interval[rule], tolerance[rule] = tonumber(ARGV[rule * 2]), tonumber(ARGV[rule * 2 + 1])
end

local value = {} -- by key: as stored, then as it will be
local lifetime = {} -- by key that is to be written, in milliseconds
for at, stored in ipairs(call('MGET', unpack(KEYS))) do
  value[KEYS[at]] = stored
end

local function remember(key, ahead)
  value[key] = now + ahead
  lifetime[key] = math.ceil(ahead / 1000) + SLACK_MS
end

-- Returns the entries that still count; the oldest stand first.
local function recent(entries)
  if #entries % ENTRY_BYTES ~= 0 then
    return '' -- not ours
  end
  local from = 1
  while from < #entries and now_s - (tonumber(sub(entries, from + 8, from + 17)) or 0) >= SIGHTINGS_S do
    from = from + ENTRY_BYTES
  end
  return from == 1 and entries or sub(entries, from)
end

-- Returns where this submission's own entry begins, nil if it has none.
local function place_of(entries, sighting)
  local at = find(entries, sighting, 1, true)
  while at and at % ENTRY_BYTES ~= 1 do
    at = find(entries, sighting, at + 1, true)
  end
  return at
end

local function without(entries, at)
  return sub(entries, 1, at - 1) .. sub(entries, at + ENTRY_BYTES)
end

local answer = {}
local length = 0
for submission = 1, #ARGV - 9 do
  local base = submission * 4 - 2
  local text_key, sighting = KEYS[base], ARGV[9 + submission]
  local entries = value[text_key]
  entries = entries and recent(entries) or ''
  local place = place_of(entries, sighting)
  local is_free = place and now_s - (tonumber(sub(entries, place + 8, place + 17)) or 0) < FREE_S
  local is_allowed = true
  for rule = 1, 4 do
    local key = rule == 4 and KEYS[1] or KEYS[base + rule]
    local ahead = -1
    if key ~= text_key and interval[rule] > 0 then
      ahead = (tonumber(value[key]) or 0) - now
      if not (ahead > 0) then
        ahead = 0
      elseif ahead > tolerance[rule] then
        -- Cannot be: the clock went back, or the limit grew tighter. From here on the cell keeps to the limit.
        ahead = tolerance[rule]
        remember(key, ahead)
      end
      is_allowed = is_allowed and ahead + interval[rule] <= tolerance[rule]
    end
    answer[length + 2 + rule] = ahead
  end

  local duplicates = 0
  if is_free or is_allowed then
    duplicates = #entries / ENTRY_BYTES - (place and 1 or 0)
  end
  if is_allowed and not is_free then
    for rule = 1, 4 do
      local ahead = answer[length + 2 + rule]
      if ahead >= 0 then
        local key = rule == 4 and KEYS[1] or KEYS[base + rule]
        ahead = ahead + interval[rule]
        answer[length + 2 + rule] = ahead
        remember(key, ahead)
      end
    end
    if place or #entries >= MAX_SIGHTINGS * ENTRY_BYTES then
      entries = without(entries, place or 1)
    end
    value[text_key] = entries .. sighting .. digits
    lifetime[text_key] = SIGHTINGS_S * 1000 + SLACK_MS
  end
  answer[length + 1] = is_free and 2 or is_allowed and 1 or 0
  answer[length + 2] = duplicates
  length = length + 6
end

for key, lifetime_ms in pairs(lifetime) do
  call('PSETEX', key, lifetime_ms, value[key])
end
return answer
