// The charts, drawn by uPlot from the numbers that stand in the page; and the times of the run, which came in run.js.
"use strict";

const BYTES = ["B", "kB", "MB", "GB", "TB"];
const WHOLE = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].flatMap((ten) => [ten, 2 * ten, 5 * ten]); // between ticks
const COLORS = 4; // of series, in page.css
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

// A chart of what `source` says: x, series of {label, values}, and how values and places on the x axis are written.
function draw(plot, { x, series, name, at, written, stepped }) {
  charts.get(plot)?.destroy();
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const options = {
    width: plot.clientWidth, height: 240, scales: { x: { time: false }, y: { range: (_, low, high) => [0, high * 1.05 || 1] } },
    axes: [{ ...axis, incrs: x.every(Number.isInteger) ? WHOLE : undefined }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => written(tick)) }],
    cursor: { y: false, points: { show: !stepped } },
    series: [{ label: name, value: (_, value, __, index) => (index == null ? "–" : at(index)) }],
  };
  series.forEach((it, number) => {
    const stroke = color(`--series-${(number % COLORS) + 1}`);
    const paths = stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
    options.series.push({ label: it.label, stroke, width: 1.5, fill: `${stroke}22`, paths, points: { show: false },
      value: (_, value, __, index) => (index == null ? "–" : it.told(index)) });
  });
  charts.set(plot, new uPlot(options, [x, ...series.map((it) => it.values)], plot));
}

// A histogram, from its table: shares of all in a series.
function drawHistogram(figure) {
  const names = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
  const lines = [...figure.querySelectorAll("tbody tr")].map((row) => [...row.cells]);
  if (!lines.length) return;
  const x = lines.map((cells) => Number(cells[0].dataset.start));
  x.push(x.length > 1 ? 2 * x.at(-1) - x.at(-2) : x[0] + 1); // where the last step ends
  const series = names.slice(1).map((label, column) => {
    const counts = lines.map((cells) => Number(cells[column + 1].textContent));
    const all = counts.reduce((sum, count) => sum + count, 0) || 1;
    const shares = counts.map((count) => (100 * count) / all);
    const told = (index) => `${shares[Math.min(index, counts.length - 1)].toFixed(2)} % (${number(counts[Math.min(index, counts.length - 1)])})`;
    return { label, values: [...shares, shares.at(-1)], told };
  });
  const at = (index) => lines[Math.min(index, lines.length - 1)][0].textContent;
  draw(figure.querySelector(".plot"), { x, series, name: names[0], at, written: (value) => `${value} %`, stepped: true });
}

// Images per class, from the table of classes.
function drawClasses(figure) {
  const names = [...document.querySelectorAll("#class-table thead th")].slice(5).map((cell) => cell.textContent);
  const lines = rows.map((row) => [...row.cells].map((cell) => cell.textContent));
  const series = names.map((label, column) => {
    const values = lines.map((cells) => Number(cells[column + 5]));
    return { label, values, told: (index) => number(values[index]) };
  });
  const at = (index) => `${lines[index][2]} ${lines[index][0].split(",")[0]}`;
  draw(figure.querySelector(".plot"), { x: lines.map((cells) => Number(cells[2])), series, name: "class", at, written: number });
}

// Sizes of shards, of which the splits have different numbers.
function drawShards(figure) {
  const sizes = JSON.parse(figure.querySelector("script").textContent);
  const most = Math.max(...Object.values(sizes).map((it) => it.length));
  const x = Array.from({ length: most }, (_, shard) => shard);
  const series = Object.entries(sizes).map(([label, values]) => ({
    label, values: x.map((shard) => values[shard] ?? null),
    told: (index) => (index < values.length ? bytes(values[index]) : "–"),
  }));
  draw(figure.querySelector(".plot"), { x, series, name: "shard", at: String, written: bytes });
}

function drawCharts() {
  for (const figure of document.querySelectorAll("figure.chart")) {
    if (figure.id === "class-chart") drawClasses(figure);
    else if (figure.id === "shard-chart") drawShards(figure);
    else if (figure.querySelector(".plot")) drawHistogram(figure);
  }
}

new ResizeObserver(() => {
  for (const [plot, chart] of charts) if (plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: 240 });
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
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((name, column) =>
    element("th", { scope: "col", class: column ? "n" : "" }, name)))), element("tbody", {}, ...body));
  document.getElementById("stages").append(element("h2", {}, "Time of each stage"),
    element("p", {}, `From the first job of a stage that made what lies there to the last one: ${duration(run.ended - run.began)}. Jobs run side by side, and may be of several runs.`),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Time of each stage" }, table));
}
