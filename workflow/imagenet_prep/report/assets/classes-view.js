// The classes: search, the tree of synsets, and each class's own view. Their data come when they are first needed.
"use strict";

const COLUMNS = { 1: "WNID", 2: "index", 3: "tf_label", 4: "devkit ID" };
const SPACED = new Intl.NumberFormat("en");

let loading;

function loadClasses() {
  loading ??= new Promise((resolve, reject) => {
    const script = element("script", { src: "classes.js" });
    script.onload = () => resolve(dataset.classes);
    script.onerror = () => reject(new Error("classes.js is not beside this page"));
    document.head.append(script);
  });
  return loading;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const number = (value) => SPACED.format(value).replaceAll(",", "\u202f");
const rows = [...document.querySelectorAll("#class-table tbody tr")];

// A number is looked for in every numbering, as imagenet_prep.labels does; a text anywhere in the names, as it is typed.
function search(query) {
  const text = query.trim().toLowerCase();
  let found = 0;
  const how = new Set();
  for (const row of rows) {
    const cells = [...row.cells].slice(0, 5);
    const hits = cells.map((cell, column) => {
      const content = cell.textContent.toLowerCase();
      if (!text) return false;
      if (/^\d+$/.test(text)) return column > 1 && Number(content) === Number(text);
      return column < 2 && content.includes(text);
    });
    cells.forEach((cell, column) => cell.classList.toggle("hit", hits[column]));
    hits.forEach((hit, column) => hit && COLUMNS[column] && how.add(COLUMNS[column]));
    row.hidden = Boolean(text) && !hits.includes(true);
    found += !row.hidden;
  }
  const classes = `${number(found)} ${found === 1 ? "class" : "classes"}`;
  const by = how.size ? `, found by ${[...how].join(", ")}` : "";
  document.getElementById("found").value = text ? (found ? classes + by : `No class is called so or has this number`) : classes;
}

const query = document.getElementById("query");
query.addEventListener("input", () => search(query.value));
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const shown = rows.filter((row) => !row.hidden);
  if (shown.length) shown[0].querySelector("a").focus();
});
search(query.value);

// ---- the tree

function branch(synsets, position) {
  const synset = synsets[position];
  const counts = `${synset.children.length ? `${number(synset.classes)} classes, ` : ""}${number(synset.images)} images`;
  const count = element("span", { class: "count" }, counts);
  if (!synset.children.length) {
    return element("li", { class: "leaf", title: synset.gloss }, element("a", { href: `#${synset.wnid}` }, synset.words), count);
  }
  const details = element("details", { "data-position": position }, element("summary", { title: synset.gloss }, synset.words, count));
  details.addEventListener("toggle", () => details.open && unfold(synsets, details));
  return element("li", {}, details);
}

function unfold(synsets, details) {
  if (!details.querySelector("ul")) {
    const children = synsets[details.dataset.position].children;
    details.append(element("ul", {}, ...children.map((child) => branch(synsets, child))));
  }
}

async function growTree() {
  const tree = document.getElementById("tree");
  if (tree.firstChild) return;
  const { synsets } = await loadClasses();
  if (tree.firstChild) return;
  tree.append(element("ul", {}, branch(synsets, 0)));
  const root = tree.querySelector("details");
  if (root) {
    unfold(synsets, root);
    root.open = true;
  }
}

async function showInTree(way) {
  await growTree();
  const { synsets } = await loadClasses();
  let place = document.getElementById("tree");
  for (const position of way.slice(0, -1)) {
    place = place.querySelector(`:scope details[data-position="${position}"]`);
    unfold(synsets, place);
    place.open = true;
  }
  const leaf = place.querySelector(`:scope > ul > .leaf > a[href="#${synsets[way.at(-1)].wnid}"]`);
  leaf?.scrollIntoView({ block: "center" });
  leaf?.focus({ preventScroll: true });
}

// ---- a class

function ways(synsets, wnid, position = 0, above = []) {
  const way = [...above, position];
  const own = synsets[position].wnid === wnid ? [way] : [];
  return own.concat(...synsets[position].children.map((child) => ways(synsets, wnid, child, way)));
}

function figure(sample, x, y, sheet) {
  const [filename, split, width, height, nbytes, size, marks, boxes] = sample;
  const count = boxes.length === 1 ? "1 box" : `${boxes.length} boxes`;
  const label = `${filename}: ${width} × ${height} pixels, ${count}`;
  const scale = 1.25; // a little larger than they are stored: objects and boxes are seen better
  let thumb = element("span", { class: "thumb none" }, "does not decode");
  if (size) {
    const image = element("img", { src: sheet.name, alt: "", loading: "lazy" });
    image.style.cssText = `left:${-x * sheet.side * scale}px;top:${-y * sheet.side * scale}px;width:${sheet.width * scale}px`;
    thumb = element("span", { class: "thumb", role: "img", "aria-label": label }, image);
    thumb.style.cssText = `width:${size[0] * scale}px;height:${size[1] * scale}px`;
    if (boxes.length) thumb.append(drawn(boxes));
  }
  const caption = element("figcaption", {}, filename, element("br"));
  caption.append(element("span", { class: "muted" }, `${split}, ${width} × ${height}, ${number(nbytes)} bytes`));
  for (const mark of marks) caption.append(element("br"), element("span", { class: "tag" }, `⚠ ${mark}`));
  return element("li", {}, element("figure", {}, thumb, caption));
}

function drawn(boxes) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 1000 1000");
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [x, y, right, bottom] of boxes) {
    const rectangle = document.createElementNS(space, "rect");
    for (const [key, value] of Object.entries({ x, y, width: right - x, height: bottom - y })) {
      rectangle.setAttribute(key, value);
    }
    svg.append(rectangle);
  }
  return svg;
}

async function showClass(wnid) {
  const { synsets, classes, sheet } = await loadClasses();
  const place = classes.findIndex((it) => it.wnid === wnid);
  if (place < 0) return false;
  const it = classes[place];
  document.getElementById("class-title").textContent = it.words;

  const schemes = { WNID: it.wnid, "index (PyTorch, Keras, TFDS)": it.class_index, "tf_label (TensorFlow’s scripts)": it.tf_label,
    "ILSVRC2012_ID (devkit)": it.ilsvrc2012_id };
  const numbers = element("dl", { class: "numbers" });
  const counts = Object.entries(it.images).map(([split, count]) => [`${split} images`, number(count)]);
  for (const [name, value] of [...Object.entries(schemes), ...counts]) {
    numbers.append(element("div", {}, element("dt", {}, name), element("dd", {}, String(value))));
  }

  const list = element("ul", { class: "ways" });
  for (const way of ways(synsets, wnid)) {
    const names = way.map((position) => synsets[position].words.split(",")[0]).join(" › ");
    const link = element("a", { href: "#classes" }, "show in the tree");
    link.addEventListener("click", () => addEventListener("hashchange", () => setTimeout(() => showInTree(way)), { once: true }));
    list.append(element("li", {}, `${names} `, element("span", { class: "muted" }, "(", link, ")")));
  }

  const samples = element("ul", { class: "samples" });
  const line = place % sheet.classes;
  const name = sheet.names[Math.floor(place / sheet.classes)];
  it.samples.forEach((sample, x) => samples.append(figure(sample, x, line, { ...sheet, name })));

  const body = [element("p", { class: "lead" }, synsets.find((synset) => synset.wnid === wnid)?.gloss ?? ""), numbers,
    element("h2", {}, "Place in the tree"), list];
  if (it.samples.length) body.push(element("h2", {}, "Sample images"), samples);
  if (it.odd.length) {
    const odd = it.odd.map(([filename, why]) => element("li", {}, filename, " ", element("span", { class: "tag" }, `⚠ ${why}`)));
    body.push(element("h2", {}, "Odd images of this class"), element("ul", {}, ...odd), element("p", {}, element("a", { href: "#odd" }, "All odd images")));
  }
  document.getElementById("class-body").replaceChildren(...body);
  return true;
}
