// The name of the lane at a tick, no longer than there is room for; shortened names stay distinct.
let wide = 600
try {
  wide = figure.outer_width
} catch (_) {
  // not laid out yet
}
const room = Math.max(8, Math.floor(0.36*wide/6.5))
if (order.room != room) {
  const letters = names.map((name) => Array.from(name))
  const most = Math.max(0, ...letters.map((name) => name.length))
  // how much of what is left of a name is its beginning
  for (const head of [0.5, 0.25, 0, 0.75, 1]) {
    order.fitted = letters.map((name) => {
      if (name.length <= room) return name.join("")
      const first = Math.round(head*(room - 1))
      return name.slice(0, first).join("").trimEnd() + "…" + name.slice(name.length - (room - 1 - first)).join("").trimStart()
    })
    if (most <= room || new Set(order.fitted).size == names.length) break
  }
  if (new Set(order.fitted).size < names.length) order.fitted = order.fitted.map((name, lane) => `${name} ${lane + 1}`)
  order.room = room
}
return Number.isInteger(tick) && tick in order.data.lane ? order.fitted[order.data.lane[tick]] : ""
