// The page of the console. Whatever comes from data is set as text, never as HTML.

const EVERY_MS = 2000;
const READINGS = 149; // five minutes
const EDGES = [
  ["user-api", "outbox"], ["scheduler", "outbox"], ["outbox", "dispatcher"], ["dispatcher", "topics"],
  ["topics", "due-queues"], ["topics", "plan-queues"], ["due-queues", "webhook-worker"], ["webhook-worker", "endpoints"],
  ["plan-queues", "scheduler", "below"], ["webhook-worker", "outbox", "above"],
];
const ROOMS = { due: (t) => t.name.endsWith("-due"), calls: (t) => t.service === "user-api",
  batches: (t) => !ROOMS.due(t) && !ROOMS.calls(t), failed: (t) => t.failed > 0 };
const SERVICES = ["user-api", "scheduler", "dispatcher", "webhook-worker"];
let kind = "due", traces = [], moving = {}, shown = "";

const byId = (id) => document.getElementById(id);

function make(tag, className = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(text, ...children);
  return element;
}

const rate = (pace) => (pace.perSecond ? `${pace.perSecond.toFixed(1)}/s` : "idle");
const seconds = (value) => duration(1000 * value);
const short = (id) => id.slice(-8);
const time = (instant) => new Date(instant).toLocaleTimeString([], { hour12: false });

function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms === 0) return "0";
  if (ms < 1) return `${Math.round(1000 * ms)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 120000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 60000)} min`;
}

function rows(id, items) {
  byId(id).querySelector("ol").replaceChildren(...items.map(([name, figure, className]) =>
    make("li", "", "", make("span", "", name), make("b", className, figure))));
}

function showFlow({ flow, topics }) {
  const shows = {
    overdue: seconds(flow.overdueSeconds), outbox: String(flow.outbox), outboxAge: seconds(flow.outboxAgeSeconds),
    underWay: String(flow.underWay), open: String(flow.deliveriesOpen), "delivered.total": flow.delivered.total.toLocaleString(),
    "delivered.mean": flow.delivered.meanMs === null ? "none in the last minutes" : `${duration(flow.delivered.meanMs)} after their time`,
  };
  for (const name of ["requests", "emitted", "published", "attempts"]) {
    shows[`${name}.rate`] = rate(flow[name]);
    shows[`${name}.mean`] = duration(flow[name].meanMs);
  }
  for (const field of document.querySelectorAll("[data-shows]")) field.textContent = shows[field.dataset.shows];
  for (const card of document.querySelectorAll("[data-service]")) card.classList.toggle("away", !flow.services[card.dataset.service]);
  const away = Object.entries(flow.services).filter(([, up]) => !up).map(([name]) => name);
  state(away.length ? `${away.join(", ")} does not answer` : "live", away.length > 0);

  rows("topics", Object.entries(topics).sort((a, b) => b[1] - a[1]).slice(0, 5).map(([name, sent]) => [name, String(sent), ""]));
  for (const [id, prefix] of [["due-queues", "webhook-"], ["plan-queues", "scheduler-"]]) {
    rows(id, flow.queues.filter((queue) => queue.name.startsWith(prefix)).map((queue) => {
      const waits = queue.visible + queue.inFlight;
      const dead = queue.dead ? `${queue.dead} dead · ` : "";
      return [queue.name.slice(prefix.length), `${dead}${waits} / ${queue.handled}`, dead ? "dead" : waits ? "waits" : ""];
    }));
  }
  rows("endpoints", Object.entries(flow.endpoints).map(([id, pace]) => [short(id), `${pace.total} · ${duration(pace.meanMs)}`, ""]));

  const highest = Math.max(1, ...flow.history), step = 300 / (READINGS - 1), first = READINGS - flow.history.length;
  const points = flow.history.map((count, index) => `L${((first + index) * step).toFixed(1)} ${(46 - (42 * count) / highest).toFixed(1)}`);
  byId("history").firstElementChild.setAttribute("d", `M0 47${points.join("")}L300 47Z`);

  const published = flow.published.perSecond > 0, attempted = flow.attempts.perSecond > 0;
  moving = { "user-api": flow.requests.perSecond > 0, outbox: published, dispatcher: published, topics: published,
    scheduler: flow.emitted.perSecond > 0, "due-queues": attempted, "webhook-worker": attempted, "plan-queues": published };
  drawEdges();
}

function drawEdges() {
  const frame = byId("flow").getBoundingClientRect(), svg = byId("edges");
  const paths = svg.childElementCount ? [...svg.children] : EDGES.map(() => document.createElementNS(svg.namespaceURI, "path"));
  EDGES.forEach(([from, to, around], index) => {
    const [a, b] = [from, to].map((id) => byId(id).getBoundingClientRect());
    const path = paths[index], middle = (box) => [box.left + box.width / 2 - frame.left, box.top + box.height / 2 - frame.top];
    const [ax, ay] = middle(a), [bx, by] = middle(b);
    let d;
    if (around) {
      const out = around === "below" ? frame.height - 14 : 16, edge = around === "below" ? "bottom" : "top";
      d = `M${ax} ${a[edge] - frame.top}V${out}H${bx}V${b[edge] - frame.top}`;
    } else if (b.left >= a.right) {
      const x = a.right - frame.left, end = b.left - frame.left, half = (end - x) / 2;
      d = `M${x} ${ay}C${x + half} ${ay} ${end - half} ${by} ${end} ${by}`;
    } else {
      const y = a.bottom - frame.top, end = b.top - frame.top, half = (end - y) / 2;
      d = `M${ax} ${y}C${ax} ${y + half} ${bx} ${end - half} ${bx} ${end}`;
    }
    path.setAttribute("d", d);
    path.setAttribute("class", `${around ? "wide " : ""}${moving[from] ? "flows" : ""}`);
  });
  svg.replaceChildren(...paths);
}

function showDeliveries({ items, problem }) {
  const none = items.length ? "" : "None yet. A birthday that is due sends one.";
  byId("deliveries").querySelector(".note").textContent = problem ?? none;
  byId("deliveries").querySelector("ol").replaceChildren(...items.map((item) => {
    const row = make(item.traceId ? "a" : "div", item.traceId ? "" : "row");
    if (item.traceId) row.href = `#trace=${item.traceId}`;
    const took = item.settledAt ? duration(new Date(item.settledAt) - new Date(item.createdAt)) : "";
    row.append(make("span", "", time(item.createdAt)), make("span", `status ${item.status}`, item.status), make("span", "type", item.eventType),
      make("code", "", `user ${short(item.userId)}`), make("code", "", `endpoint ${short(item.endpointId)}`), make("span", "takes", took),
      make("span", "note reason", [item.attemptCount > 1 ? `${item.attemptCount} attempts` : "", item.reason ?? ""].filter(Boolean).join(": ")));
    return make("li", "", "", row);
  }));
}

function showTraces() {
  byId("traces").querySelector("ol").replaceChildren(...traces.filter(ROOMS[kind]).map((trace) => {
    const row = make("a", `${known(trace.service)}${trace.failed ? " failed" : ""}`);
    row.href = `#trace=${trace.traceId}`;
    if (trace.traceId === chosen()) row.setAttribute("aria-current", "true");
    row.append(make("span", "", trace.name), make("span", "takes", duration(trace.durationMs)),
      make("small", "", time(trace.startedMs)), make("small", "takes", `${trace.spans} spans${trace.failed ? `, ${trace.failed} failed` : ""}`));
    return make("li", "", "", row);
  }));
}

const known = (service) => (SERVICES.includes(service) ? service : "");
const chosen = () => new URLSearchParams(location.hash.slice(1)).get("trace") ?? "";

// A parent before its children, each with its depth; what has no parent here is at the top.
function tree(spans) {
  const ids = new Set(spans.map((span) => span.spanId)), children = new Map();
  for (const span of spans) {
    const parent = ids.has(span.parentId) && span.parentId !== span.spanId ? span.parentId : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const ordered = [], waiting = (children.get("") ?? []).map((span) => [span, 0]).reverse();
  while (waiting.length) {
    const [span, depth] = waiting.pop();
    ordered.push([span, depth]);
    waiting.push(...(children.get(span.spanId) ?? []).map((child) => [child, depth + 1]).reverse());
  }
  return ordered;
}

function showTrace(spans) {
  const section = byId("trace"), now = `${chosen()} ${spans.length}`;
  if (now === shown) return; // so that what is open stays open
  shown = now;
  const started = Math.min(...spans.map((span) => span.startedMs));
  const whole = Math.max(...spans.map((span) => span.startedMs + span.durationMs)) - started || 1;
  section.querySelector(".note").textContent = spans.length
    ? `${chosen()} · ${spans.length} spans in ${duration(whole)}` : chosen() ? "Nothing of this trace is kept any more." : "Choose a delivery or a trace.";
  section.querySelector(".axis").replaceChildren(...(spans.length ? [0, 0.25, 0.5, 0.75, 1] : []).map((part) => make("span", "", duration(part * whole))));
  section.querySelector(".spans").replaceChildren(...tree(spans).map(([span, depth]) => spanRow(span, depth, started, whole)));
}

function spanRow(span, depth, started, whole) {
  const name = make("span", "name", "", make("i"), span.name), bar = make("i"), figure = make("span", "figures", duration(span.durationMs));
  const left = (100 * (span.startedMs - started)) / whole, width = (100 * span.durationMs) / whole;
  name.style.paddingLeft = `${depth * 14}px`;
  name.title = `${span.service}: ${span.name}`;
  bar.style.left = `min(${left}%, 100% - 3px)`;
  bar.style.width = `${width}%`;
  if (left + width > 75) figure.style.right = `${Math.min(100 - left, 100)}%`;
  else figure.style.left = `${left + width}%`;
  if (left + width > 75 && left < 20) { figure.style.right = "0"; figure.style.color = "var(--card)"; }
  const about = make("dl"), tell = (term, ...value) => about.append(make("dt", "", term), make("dd", "", "", ...value));
  tell("service", `${span.service} (${span.kind})`);
  if (span.failed) tell("failed", span.message || "yes");
  for (const [term, value] of Object.entries(span.attributes)) tell(term, value);
  for (const event of span.events) tell("event", event);
  for (const link of span.links) {
    const to = make("a", "", `trace ${short(link.traceId)}`);
    to.href = `#trace=${link.traceId}`;
    tell("linked to", to);
  }
  const statement = "db.system.name" in span.attributes ? " statement" : "";
  return make("details", `${known(span.service)}${statement}${span.failed ? " failed" : ""}`, "",
    make("summary", "", "", name, make("span", "lane", "", bar, figure)), about);
}

function state(text, away) {
  byId("state").textContent = text;
  byId("state").classList.toggle("away", away);
}

async function ask(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function refresh() {
  try {
    const [flow, deliveries, list, spans] = await Promise.all(
      [ask("flow"), ask("deliveries"), ask("traces"), chosen() ? ask(`traces/${encodeURIComponent(chosen())}`) : []]);
    traces = list;
    showFlow(flow);
    showDeliveries(deliveries);
    showTraces();
    showTrace(spans);
  } catch (error) {
    state(`the console does not answer (${error.message})`, true);
  }
}

async function again() {
  if (!document.hidden) await refresh();
  setTimeout(again, EVERY_MS);
}

for (const button of document.querySelectorAll("[data-kind]")) {
  button.addEventListener("click", () => {
    kind = button.dataset.kind;
    for (const each of document.querySelectorAll("[data-kind]")) each.setAttribute("aria-pressed", String(each === button));
    showTraces();
  });
}
addEventListener("hashchange", async () => {
  await refresh();
  byId("trace").scrollIntoView({ block: "nearest" });
});
addEventListener("resize", drawEdges);
again();
