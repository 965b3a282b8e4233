// The bench's page: starts the worker that measures, and shows what it tells.
import { tables, table } from "./bench.js";

const worker = new URL("./bench-worker.js", import.meta.url).href;
const policy = globalThis.trustedTypes?.createPolicy("undertone", {
  createScriptURL(address) {
    if (address !== worker) throw new TypeError(`not a script of the bench: ${address}`);
    return address;
  },
});

const $ = (id) => document.getElementById(id);
const model = new URL($("app").dataset.models.split(" ")[0], document.baseURI).href;
let running, report, drawn = 0;

// Tests, and those who want another time, name it in the address: #seconds=10. With #matrices
// the kernels of subgroup matrices are among the variants, where the browser has them.
const asked = new URLSearchParams(location.hash.slice(1));
const seconds = () => Number(asked.get("seconds")) || Number($("seconds").value);

async function showSize() {
  const response = await fetch(model);
  if (!response.ok) return;
  const { files } = await response.json();
  const bytes = files.filter((f) => f.role !== "judge").reduce((sum, f) => sum + f.bytes, 0);
  $("size").textContent = `(downloads ${(bytes / 1e6).toFixed(0)} MB)`;
}

function element(name, text, attributes = {}) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
}

// A table may be wider than a phone: it scrolls by itself, by keyboard too.
function drawTable({ title, head, rows }) {
  const section = element("section");
  const body = element("tbody");
  const numeric = head.map((_, i) => rows.every((r) => /^[-\d.,e ]*( ?(ms|µs|%|GB\/s|MB|dB|T?FLOP\/s|TOP\/s))?$/.test(String(r[i] ?? ""))));
  for (const r of rows) {
    const line = element("tr");
    r.forEach((cell, i) => {
      const td = element("td", String(cell ?? ""), numeric[i] ? { class: "number" } : {});
      if (head[i] === "of f32 peak" && cell) {
        td.classList.add("share");
        td.style.setProperty("--part", String(cell).replace(" ", ""));
      }
      line.append(td);
    });
    body.append(line);
  }
  const headings = element("tr");
  head.forEach((h, i) => headings.append(element("th", h, { scope: "col", ...(numeric[i] ? { class: "number" } : {}) })));
  const top = element("thead");
  top.append(headings);
  const t = element("table", undefined, head.length > 5 ? { class: "wide" } : {});
  t.append(top, body);
  const scroll = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": title });
  scroll.append(t);
  section.append(element("h2", title), scroll);
  return section;
}

function draw() {
  $("results").hidden = !report?.adapter;
  if (!report?.adapter) return;
  $("software").hidden = !report.software;
  $("tables").replaceChildren(...tables(report).map(drawTable));
  drawn = performance.now();
}

function said(line) {
  if (line.row) return `${line.row.op}, ${line.row.shape}`;
  if (line.skipped) return "No time for the rest";
  if (line.part === "loading") return "Loading the program and what it measures…";
  return line.part ?? "";
}

function stop(text) {
  running?.terminate();
  running = undefined;
  $("run").hidden = false;
  $("stop").hidden = true;
  $("said").textContent = text;
  draw();
}

$("run").addEventListener("click", () => {
  report = undefined;
  draw();
  $("run").hidden = true;
  $("stop").hidden = false;
  $("said").textContent = said({ part: "loading" });
  running = new Worker(policy ? policy.createScriptURL(worker) : worker, { type: "module" });
  const begin = performance.now();
  running.addEventListener("message", ({ data }) => {
    report = data.report ?? report;
    if (data.failed) return stop(data.failed);
    if (data.done) return stop(`Measured in ${((performance.now() - begin) / 1000).toFixed(0)} s.`);
    const text = said(data.line);
    if (text) $("said").textContent = `${((performance.now() - begin) / 1000).toFixed(0)} s · ${text}`;
    if (performance.now() - drawn > 500) draw();
  });
  running.addEventListener("error", (event) => stop(event.message || "The bench did not start."));
  running.postMessage({ seconds: seconds(), parts: ["kernels", "model", "variants"].filter((id) => $(id).checked), matrices: asked.has("matrices"), model });
});
$("stop").addEventListener("click", () => stop("Stopped; what was measured is below."));
for (const [id, text] of [["copy-table", () => table(report)], ["copy-json", () => JSON.stringify(report, null, 1)]]) {
  $(id).addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      $("copied").textContent = "Copied.";
    } catch {
      $("copied").textContent = "This browser does not let pages copy.";
    }
  });
}
showSize().catch(() => {});
document.documentElement.dataset.state = "running";
