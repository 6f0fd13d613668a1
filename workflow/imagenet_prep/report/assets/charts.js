// The charts, drawn by uPlot from the numbers in the page's tables; and the times of the run, from run.js.
"use strict";

const BYTES = ["B", "kB", "MB", "GB", "TB"];
const WHOLE = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].flatMap((ten) => [ten, 2 * ten, 5 * ten]); // between ticks
const COLORS = 4; // of series, in page.css
const HEIGHT = 104; // of a chart in pixels
const charts = new Map();

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function bytes(value) {
  let unit = 0;
  while (value >= 1000 && unit < BYTES.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit ? value.toFixed(1) : Math.round(value)} ${BYTES[unit]}`;
}

function duration(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(1)} s`;
}

// A small chart of one series: a bar for each place on the x axis, and above it the values under the pointer.
function drawBars(place, it) {
  charts.get(place)?.destroy();
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const [first, last] = [it.x[0], it.x.at(-1)];
  const [before, after] = it.step ? [0, it.step] : [0.5, 0.5]; // a bar begins at its value, or has it in its middle
  const room = (place.clientWidth - 64) / it.x.length;
  const paths = uPlot.paths.bars({ size: [1, it.step ? Infinity : 64, 1], align: it.step ? 1 : 0, gap: room > 4 ? 1 : 0 });
  const at = (value) => (_, __, ___, index) => (index == null ? "–" : value(index));
  const options = {
    width: place.clientWidth, height: it.height, legend: { markers: { show: false } },
    scales: { x: { time: false, range: [first - before, last + after] }, y: { range: [0, it.high * 1.05 || 1] } },
    axes: [{ ...axis, size: 26, incrs: it.x.every(Number.isInteger) ? WHOLE : undefined, values: (_, ticks) => ticks.map(it.tick) },
      { ...axis, size: 64, space: 24, values: (_, ticks) => ticks.map(it.written) }],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    series: [{ label: it.name, value: at(it.at) },
      { label: it.label, fill: color(`--series-${(it.number % COLORS) + 1}`), width: 0, paths, points: { show: false }, value: at(it.told) }],
  };
  charts.set(place, new uPlot(options, [it.x, it.values], place));
}

// The series of a figure, below each other and to the same scale: over each other nobody could tell them apart.
function drawEach(figure, series, common) {
  const plots = figure.querySelector(".plots");
  const high = Math.max(...series.flatMap((it) => it.values));
  if (plots.childElementCount !== series.length) plots.replaceChildren(...series.map(() => element("div", { class: "plot" })));
  series.forEach((it, number) => drawBars(plots.children[number], { high, height: HEIGHT, ...common, ...it, number }));
}

// Names of the columns and cells of the rows of the table below a chart.
function tableOf(figure) {
  const table = figure.querySelector("table");
  return [[...table.tHead.rows[0].cells].map((cell) => cell.textContent), [...table.tBodies[0].rows].map((row) => [...row.cells])];
}

// A histogram: shares of all in a series.
function drawHistogram(figure) {
  const [names, lines] = tableOf(figure);
  if (!lines.length) return;
  const x = lines.map((cells) => Number(cells[0].dataset.start));
  const series = names.slice(1).map((label, column) => {
    const counts = lines.map((cells) => Number(cells[column + 1].textContent));
    const all = counts.reduce((sum, count) => sum + count, 0) || 1;
    const values = counts.map((count) => (100 * count) / all);
    return { label, values, told: (index) => `${values[index].toFixed(2)} % (${number(counts[index])})` };
  });
  const isCounted = lines[0][0].textContent === String(x[0]); // a bar a number, and no range
  const step = !isCounted && (x.length > 1 ? x[1] - x[0] : 1);
  drawEach(figure, series, { x, step, name: names[0], at: (index) => lines[index][0].textContent,
    tick: names[0] === "bytes" ? bytes : String, written: (value) => `${value} %` });
}

// Images per class, from the table of classes. Each split has a scale of its own: their numbers differ much.
function drawClasses(figure) {
  const names = [...document.querySelectorAll("#class-table thead th")].slice(5).map((cell) => cell.textContent);
  const lines = rows.map((row) => [row.querySelector("a").textContent, ...[...row.cells].slice(1).map((cell) => cell.textContent)]);
  const series = names.map((label, column) => {
    const values = lines.map((cells) => Number(cells[column + 5]));
    return { label, values, high: Math.max(...values), told: (index) => number(values[index]) };
  });
  drawEach(figure, series, { x: lines.map((_, place) => place), name: "class", written: number,
    at: (index) => `${lines[index][2]} ${lines[index][0].split(",")[0]}`, tick: (place) => lines[place]?.[2] ?? "" });
  figure.querySelector("details").addEventListener("toggle", () => {
    const place = figure.querySelector(".scroll");
    if (place.firstChild) return;
    const row = (cells) => element("tr", {}, element("th", { scope: "row" }, cells[2]), ...[cells[0], ...cells.slice(5)].map((it) => element("td", {}, it)));
    const head = ["index", "class", ...names].map((name) => element("th", { scope: "col" }, name));
    place.append(element("table", { class: "numbers-of" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines.map(row))));
  });
}

// Sizes of shards, of which the splits have different numbers.
function drawShards(figure) {
  const [names, lines] = tableOf(figure);
  const series = names.slice(1).map((name, column) => {
    const texts = lines.map((cells) => cells[column + 1].textContent);
    const values = texts.filter((text) => text !== "–").map(Number);
    return { label: name.replace(", bytes", ""), x: values.map((_, shard) => shard), values, high: Math.max(...values), told: (index) => bytes(values[index]) };
  });
  drawEach(figure, series, { name: "shard", at: String, tick: String, written: bytes });
}

const DRAWN = { histogram: drawHistogram, classes: drawClasses, shards: drawShards };

function drawCharts() {
  for (const figure of document.querySelectorAll("figure[data-kind]")) DRAWN[figure.dataset.kind](figure);
}

new ResizeObserver(() => {
  for (const [plot, chart] of charts) if (plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: HEIGHT });
}).observe(document.getElementById("main"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.size && drawCharts());

// ---- the run

function tellRun() {
  const run = dataset.run;
  if (!run) return;
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(", ");
  const place = document.querySelector("#run dd");
  place.textContent = `${run.made.replace("T", " ").replace("Z", " UTC")}, with ${versions}`;
  if (!run.stages.length) return;
  const most = Math.max(...run.stages.map((stage) => stage.seconds));
  const head = ["stage", "time of its jobs", "", "jobs", "bytes a second of a job", "most memory of a job"];
  const body = run.stages.map((stage) => {
    const bar = element("td", { class: "bar" }, element("i"));
    bar.firstChild.style.width = `${(64 * stage.seconds) / most}px`;
    const rate = stage.nbytes && stage.seconds ? `${bytes(stage.nbytes / stage.seconds)}/s` : "–";
    const cell = (content) => element("td", { class: "n" }, content);
    return element("tr", {}, element("th", { scope: "row" }, stage.rule.replaceAll("_", " ")), cell(duration(stage.seconds)), bar,
      cell(number(stage.jobs)), cell(rate), cell(stage.max_rss ? bytes(stage.max_rss * 1e6) : "–"));
  });
  const table = element("table", { class: "stack" }, element("thead", {}, element("tr", {}, ...head.map((name, column) =>
    element("th", { scope: "col", class: column ? "n" : "" }, name)))), element("tbody", {}, ...body));
  document.getElementById("stages").append(
    element("p", {}, `From the first job of a stage that made what lies there to the last one: ${duration(run.ended - run.began)}. Jobs run side by side, and may be of several runs.`),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Time of each stage" }, table));
}
