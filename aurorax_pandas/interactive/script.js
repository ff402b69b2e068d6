// What the views of a page have in common: the selection. Runs in the browser; `cb_data.act` says what has happened.
const page = events.page ?? (events.page = {shown: false, dark: null, none: false, own: null})
const count = bars.data_source.data.left.length
const act = cb_data.act

const two = (n) => String(n).padStart(2, "0")

// milliseconds since 1970 as text, in UTC whatever the browser's zone is
function instant(value, digits) {
  if (!Number.isFinite(value)) return ""
  const micro = Math.round(value*1000)
  const second = Math.floor(micro/1e6)
  const iso = new Date(second*1000).toISOString().slice(0, 19).replace("T", " ")
  return digits == 0 ? iso : `${iso}.${String(micro - second*1e6).padStart(6, "0").slice(0, digits)}`
}

function number(value) {
  return Number.isFinite(value) ? String(Number(value.toFixed(3))) : ""
}

function cell(column, i) {
  const value = column.values[i]
  if (column.kind == "time") return instant(value, column.digits)
  if (column.kind == "number") return number(value)
  return value < 0 ? "" : column.names[value]
}

// an instant that somebody wrote, as milliseconds; a date alone as an end is its last second
function written(text, last) {
  const found = /^\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?\s*(?:Z|UTC)?\s*$/.exec(text)
  if (found == null) return NaN
  const [, year, month, day, hour, minute, second] = found
  const at = Date.UTC(+year, +month - 1, +day, +(hour ?? 0), +(minute ?? 0)) + 1000*(second ?? 0)
  return hour == null && last ? at + 86399e3 : at
}

function selected() {
  if (page.none) return []
  const indices = [...events.selected.indices].sort((a, b) => a - b)
  return indices.length == 0 ? Array.from({length: count}, (_, i) => i) : indices
}

function choose(indices) {
  page.none = indices.length == 0
  page.own = indices
  events.selected.indices = indices
  update()
}

// one of the marks in the views, or the form, stands for these conditions
function filter({from, to, near, far, site, lane}) {
  const {start, end, distance, lane: lanes_of, side1, side2} = told
  const found = []
  for (let i = 0; i < count; i++) {
    if (from != null && !(end[i] >= from)) continue
    if (to != null && !(start[i] <= to)) continue
    if (near != null && !(distance[i] >= near)) continue
    if (far != null && !(distance[i] <= far)) continue
    if (site != null && side1[i] != site && side2[i] != site) continue
    if (lane != null && lanes_of[i] != lane) continue
    found.push(i)
  }
  return found
}

function apply(conditions) {
  const found = filter(conditions)
  const mode = form.mode.value
  if (mode == "narrow") {
    const kept = new Set(selected())
    choose(found.filter((i) => kept.has(i)))
  } else if (mode == "add" && (page.none || events.selected.indices.length != 0)) {
    choose([...new Set([...selected(), ...found])].sort((a, b) => a - b))
  } else {
    choose(found)
  }
}

function clear() {
  fill({})
  page.none = false
  page.own = []
  events.selected.indices = []
  update()
}

function fill({from, to, near, far, site, lane}) {
  form.from.value = from == null ? "" : instant(from, 0)
  form.to.value = to == null ? "" : instant(to, 0)
  form.near.value = near ?? null
  form.far.value = far ?? null
  form.site.value = site == null ? "" : String(site)
  form.lane.value = lane == null ? "" : String(lane)
}

function read() {
  const conditions = {}
  for (const [name, last] of [["from", false], ["to", true]]) {
    const text = form[name].value.trim()
    if (text == "") continue
    conditions[name] = written(text, last)
    if (Number.isNaN(conditions[name])) return `“${text}” is no instant; write it as 2020-01-01 03:00 (UTC).`
  }
  if (form.near.value != null) conditions.near = form.near.value
  if (form.far.value != null) conditions.far = form.far.value
  if (form.site.value != "") conditions.site = Number(form.site.value)
  if (form.lane.value != "") conditions.lane = Number(form.lane.value)
  return conditions
}

// Python that takes the rows: numbers in a row as a range, labels as they are written in Python
function python(indices) {
  const rows = [...new Set(indices.map((i) => told.row[i]))].sort((a, b) => a - b)
  if (refs.labels != null) return `df.${refs.indexer}[[${rows.map((row) => refs.labels[row]).join(", ")}]]`
  const parts = []
  for (let i = 0; i < rows.length;) {
    let j = i
    while (j + 1 < rows.length && rows[j + 1] == rows[j] + 1) j++
    if (j - i > 3) parts.push(`*range(${rows[i]}, ${rows[j] + 1})`)
    else for (let k = i; k <= j; k++) parts.push(rows[k])
    i = j + 1
  }
  return `df.${refs.indexer}[[${parts.join(", ")}]]`
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}

function say(words) {
  status.text = `<span role="status">${escaped(words)}</span>`
}

function update() {
  const indices = selected()
  bars.muted = page.none
  const rows = {event: indices}
  columns.forEach((column, k) => {
    rows[`c${k}`] = column.kind == "number" ? indices.map((i) => column.values[i]) : indices.map((i) => cell(column, i))
  })
  table.selected.indices = []
  table.data = rows
  const picked = new Array(bins.data.left.length).fill(0)
  for (const i of indices) if (told.bin[i] >= 0) picked[told.bin[i]]++
  bins.data = {...bins.data, picked}
  const bySite = new Array(sites.length).fill(0)
  for (const i of indices) for (const site of new Set([told.side1[i], told.side2[i]])) if (site >= 0) bySite[site]++
  panels.forEach((panel) => {
    const shown = panel.stations.data
    const here = Array.from(shown.site, (site) => bySite[site])
    const most = Math.max(1, ...bySite)
    panel.stations.data = {
      ...shown, picked: here, size: here.map((n) => n == 0 ? 5 : 5 + 5*Math.sqrt(n/most)), alpha: here.map((n) => n == 0 ? 0.35 : 0.95),
    }
    if (tracks != null) drawTracks(panel, indices)
    if (panel.closest != null) panel.closest.muted = page.none
  })
  const all = !page.none && events.selected.indices.length == 0
  const plural = (n, one, more) => `${n} ${n == 1 ? one : more}`
  say(count == 0 ? "No events." : all ? `All ${plural(count, "event", "events")}.` : `${indices.length} of ${plural(count, "event", "events")} selected.`)
  text.value = python(indices)
}

// the tracks of these events, each part once, broken where an epoch is missing or a field line jumps
function drawTracks(panel, indices) {
  const {x, y, south, conjugate, craft, joined} = tracks
  const used = new Uint8Array(x.length)
  for (const [first, length] of [[tracks.first1, tracks.length1], [tracks.first2, tracks.length2]]) {
    for (const i of indices) for (let k = first[i]; k < first[i] + length[i] - 1; k++) if (joined[k]) used[k] = 1
  }
  const lines = {xs: [], ys: [], color: [], name: []}
  const dashed = {xs: [], ys: [], color: [], name: []}
  for (let k = 0; k < x.length; k++) {
    if (!used[k] || south[k] != panel.south) continue
    const xs = [x[k]], ys = [y[k]], into = conjugate[k] ? dashed : lines
    into.color.push(tracks.colors[craft[k]])
    into.name.push(tracks.names[craft[k]])
    while (k < x.length && used[k]) {
      k++
      xs.push(x[k])
      ys.push(y[k])
    }
    into.xs.push(xs)
    into.ys.push(ys)
  }
  panel.lines.data = lines
  panel.dashed.data = dashed
}

// a table of a few events, made of text
function tooltip(indices) {
  const box = document.createElement("div")
  box.style.cssText = "font: 12px/1.45 system-ui, sans-serif; color: #1f2328; max-width: min(460px, 85vw)"
  for (const i of indices) {
    const list = document.createElement("div")
    list.style.cssText = "display: grid; grid-template-columns: auto auto; justify-content: start; column-gap: 8px; overflow-wrap: anywhere"
    for (const column of columns) {
      const value = cell(column, i)
      if (value == "") continue
      const name = document.createElement("span")
      name.style.color = "#59636e"
      name.textContent = column.label
      const shown = document.createElement("span")
      shown.textContent = value
      list.append(name, shown)
    }
    box.append(list)
  }
  return box
}

function plain(lines) {
  const box = document.createElement("div")
  box.style.cssText = "font: 12px/1.45 system-ui, sans-serif; color: #1f2328"
  for (const line of lines) {
    const shown = document.createElement("div")
    shown.textContent = line
    box.append(shown)
  }
  return box
}

function sort() {
  const order = lanes.orders[form.sort.value]
  const place = new Int32Array(order.length)
  order.forEach((lane, at) => { place[lane] = at })
  const y = new Float32Array(count)
  for (let i = 0; i < count; i++) y[i] = place[told.lane[i]]
  lanes.shown.data = {lane: Array.from(order)}
  events.data = {...events.data, y}
  // the names of lanes are drawn anew with the axis
  timeline.left[0].change.emit()
  timeline.left[0].formatter.change.emit()
}

// whether what surrounds the page is dark: the nearest background that is not transparent, else what the system asks for
function isDark() {
  let element = document.body
  try {
    if (window.frameElement != null) element = window.frameElement.parentElement
    for (; element != null; element = element.parentElement) {
      const parts = element.ownerDocument.defaultView.getComputedStyle(element).backgroundColor.match(/[\d.]+/g)?.map(Number)
      const framed = window.frameElement != null
      if (framed && parts != null && (parts.length < 4 || parts[3] > 0.5)) return 0.2126*parts[0] + 0.7152*parts[1] + 0.0722*parts[2] < 128
    }
  } catch (_) {
    // a frame of another origin tells nothing
  }
  return window.matchMedia("(prefers-color-scheme: dark)").matches
}

function paint() {
  const dark = isDark()
  if (dark === page.dark) return
  page.dark = dark
  const side = dark ? 1 : 0
  for (const [model, name, role, spec] of themed) model[name] = spec ? {value: roles[role][side]} : roles[role][side]
  if (mapper != null) mapper.palette = ramps[side]
  for (const [role, shades] of Object.entries(roles)) document.documentElement.style.setProperty(`--aurorax-${role}`, shades[side])
  document.documentElement.style.setProperty("--aurorax-scheme", dark ? "dark" : "light")
  document.documentElement.style.colorScheme = dark ? "dark" : "light"
}

function start() {
  if (page.shown) return
  page.shown = true
  for (const hover of hovers.events) hover.tooltips = (_, vars) => tooltip([vars.index])
  for (const hover of hovers.stations) hover.tooltips = (source, vars) => {
    const at = vars.index, {site, picked} = source.data
    return plain([sites[site[at]], `${told.bySite[site[at]]} events, ${picked[at]} selected`])
  }
  for (const hover of hovers.lines) hover.tooltips = (source, vars) => plain([source.data.name[vars.index]])
  document.addEventListener("keyup", ({key}) => {
    if (key == "Escape") clear()
  })
  // Bokeh does not wipe the outermost pixel of a figure, where names that were too long at first left marks
  const canvas = cb_context.index.find_one(timeline)?.canvas_view?.primary?.canvas
  if (canvas != null) canvas.style.clipPath = "inset(2px)"
  paint()
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint)
  try {
    const outside = window.frameElement?.ownerDocument
    if (outside != null) {
      const watch = new MutationObserver(paint)
      for (const element of [outside.documentElement, outside.body]) watch.observe(element, {attributes: true})
      outside.defaultView.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint)
    }
  } catch (_) {
    // a frame of another origin cannot be watched
  }
  update()
}

function zoom(start, end) {
  timeline.x_range.setv({start, end})
}

function move(by, factor) {
  const {start, end} = timeline.x_range
  const middle = (start + end)/2 + by*(end - start), half = factor*(end - start)/2
  zoom(middle - half, middle + half)
}

function copy() {
  const value = text.value
  const done = () => say("Copied.")
  const byHand = () => {
    const area = document.createElement("textarea")
    area.value = value
    document.body.append(area)
    area.select()
    const worked = document.execCommand("copy")
    area.remove()
    if (worked) done()
    else say("The browser does not let this page copy; select the text and copy it by hand.")
  }
  if (navigator.clipboard == null) byHand()
  else navigator.clipboard.writeText(value).then(done, byHand)
}

function brushed(geometry) {
  if (geometry.type != "rect") return null
  return [Math.min(geometry.x0, geometry.x1), Math.max(geometry.x0, geometry.x1)]
}

if (act == "start") {
  // as many dates as there is room for
  if (count > 0) timeline.below[0].ticker.desired_num_ticks = Math.max(2, Math.min(9, Math.floor(timeline.inner_width/64)))
  start()
}
else if (act == "theme") paint()
else if (act == "selected") {
  // what this script has selected is shown already
  const {indices} = events.selected
  if (page.own == null || page.own.length != indices.length || page.own.some((i, k) => i != indices[k])) {
    page.none = false
    page.own = null
    update()
  }
} else if (act == "nothing") {
  // a click beside all events ends a selection that holds none
  if (page.none && events.selected.indices.length == 0) {
    page.none = false
    update()
  }
} else if (act == "time" || act == "distance") {
  const span = brushed(cb_obj.geometry)
  if (span != null) {
    const unit = act == "time" ? 1000 : 0.001
    const [low, high] = span.map((value) => act == "time" ? Math.round(value/unit)*unit : Number(value.toFixed(3)))
    const conditions = act == "time" ? {from: low, to: high} : {near: low, far: high}
    fill(conditions)
    apply(conditions)
  }
} else if (act == "map") {
  const figure = cb_data.panel.figure, {site, x, y} = cb_data.panel.stations.data
  const scale = figure.inner_width/Math.abs(figure.x_range.end - figure.x_range.start)
  let nearest = -1, least = 14
  for (let k = 0; k < site.length; k++) {
    const apart = scale*Math.hypot(x[k] - cb_obj.x, y[k] - cb_obj.y)
    if (apart < least) [nearest, least] = [k, apart]
  }
  if (nearest >= 0) {
    const conditions = {site: site[nearest]}
    fill(conditions)
    apply(conditions)
  }
} else if (act == "form") {
  const conditions = read()
  if (typeof conditions == "string") say(conditions)
  else apply(conditions)
} else if (act == "clear") clear()
else if (act == "row") {
  const chosen = table.selected.indices.map((k) => table.data.event[k])
  ring.data = {y: chosen.map((i) => events.data.y[i]), x: chosen.map((i) => (events.data.left[i] + events.data.right[i])/2)}
  panels.forEach((panel, number) => {
    const px = events.data[`x${number}`], py = events.data[`y${number}`]
    if (px != null) panel.ring.data = {x: chosen.map((i) => px[i]), y: chosen.map((i) => py[i])}
  })
} else if (act == "sort") sort()
else if (act == "all times") zoom(...whole)
else if (act == "earlier") move(-0.5, 1)
else if (act == "later") move(0.5, 1)
else if (act == "closer") move(0, 0.5)
else if (act == "wider") move(0, 2)
else if (act == "to selection") {
  const indices = selected()
  if (indices.length != 0) {
    let low = Infinity, high = -Infinity
    for (const i of indices) {
      low = Math.min(low, events.data.left[i])
      high = Math.max(high, events.data.right[i])
    }
    const margin = Math.max(0.04*(high - low), 60e3)
    zoom(low - margin, high + margin)
  }
} else if (act == "copy") copy()
