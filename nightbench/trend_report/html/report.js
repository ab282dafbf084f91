"use strict";
(() => {
  const root = document.documentElement;
  const dark = JSON.parse(document.getElementById("dark").textContent);
  const colours = new RegExp(Object.keys(dark).join("|"), "gi");
  const stored = { get: () => { try { return localStorage.getItem("nightbench-theme"); } catch { return null; } },
                   set: (theme) => { try { localStorage.setItem("nightbench-theme", theme); } catch { /* a file may have no store */ } } };
  const charts = new Map();

  // --- theme ---

  const button = document.getElementById("theme");
  const isDark = () => root.dataset.theme === "dark";

  function shown(theme) {
    root.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(isDark()));
  }

  shown(stored.get() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  button.addEventListener("click", () => {
    shown(isDark() ? "light" : "dark");
    stored.set(root.dataset.theme);
    redraw();
  });

  // --- charts: drawn when they come near, all of them once there is time ---

  async function unpacked() {
    const bytes = Uint8Array.from(atob(document.getElementById("charts").textContent), (each) => each.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // rows of columns
  function rowsOf(columns) {
    return columns.length ? columns[0].map((_, place) => columns.map((column) => column[place])) : [];
  }

  function datasetsOf(data) {
    const named = ([name, { keys, columns }]) =>
      [name, rowsOf(columns).map((row) => Object.fromEntries(keys.map((key, place) => [key, row[place]])))];
    return Object.fromEntries(Object.entries(data).map(named));
  }

  function sized(spec, room) {
    return { ...spec, width: Math.max(room, 240), autosize: { type: "fit-x", contains: "padding" } };
  }

  async function draw(place) {
    const chart = charts.get(place.dataset.chart);
    if (!chart) return;
    // the figure around it has its title and its words
    const text = JSON.stringify({ ...chart.spec, title: null, datasets: datasetsOf(chart.data) });
    const spec = JSON.parse(isDark() ? text.replace(colours, (found) => dark[found.toUpperCase()] ?? dark[found.toLowerCase()]) : text);
    const room = place.clientWidth;
    const options = { actions: false, renderer: "svg", ast: false, tooltip: { theme: isDark() ? "dark" : "light" } };
    place.view?.finalize();
    const drawn = await window.nightbench.embed(place, sized(spec, room), options);
    place.view = drawn.view;
    place.querySelector("svg").setAttribute("aria-hidden", "true");
    place.classList.add("drawn");
    place.drawnAt = place.clientWidth;
  }

  const places = [...document.querySelectorAll(".chart")];
  const near = new IntersectionObserver((seen) => {
    for (const each of seen) if (each.isIntersecting) once(each.target);
  }, { rootMargin: "600px" });

  function once(place) {
    near.unobserve(place);
    place.drawing ??= draw(place).catch((error) => { place.textContent = `This chart could not be drawn: ${error.message}`; });
    return place.drawing;
  }

  async function rest() {
    for (const place of places) {
      await new Promise((idle) => (window.requestIdleCallback ?? setTimeout)(idle, { timeout: 100 }));
      await once(place);
    }
    root.dataset.drawn = String(places.length);
  }

  function redraw() {
    for (const place of places) if (place.drawing) place.drawing = place.drawing.then(() => draw(place));
  }

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const place of places) {
        if (place.drawing && Math.abs(place.drawnAt - place.clientWidth) > 8) place.drawing = place.drawing.then(() => draw(place));
      }
    }, 150);
  });

  // paper is light
  addEventListener("beforeprint", () => { root.dataset.before = root.dataset.theme; shown("light"); redraw(); });
  addEventListener("afterprint", () => { shown(root.dataset.before); redraw(); });

  // --- the table beneath a chart is made when it is opened ---

  function row(tag, texts) {
    const made = document.createElement("tr");
    texts.forEach((text, column) => {
      const cell = document.createElement(tag === "th" || column === 0 ? "th" : "td");
      if (cell.tagName === "TH") cell.scope = tag === "th" ? "col" : "row";
      cell.textContent = text;
      made.append(cell);
    });
    return made;
  }

  function tableOf(chart, title) {
    const [table, head, body] = ["table", "thead", "tbody"].map((tag) => document.createElement(tag));
    head.append(row("th", chart.table.head));
    body.append(...rowsOf(chart.table.columns).map((texts) => row("td", texts)));
    table.append(head, body);
    const wide = document.createElement("div");
    wide.className = "wide";
    wide.tabIndex = 0;
    wide.setAttribute("role", "region");
    wide.setAttribute("aria-label", title);
    wide.append(table);
    return wide;
  }

  for (const details of document.querySelectorAll("details.data")) {
    details.addEventListener("toggle", () => {
      const chart = charts.get(details.parentElement.id);
      if (details.open && chart && details.children.length === 1) details.append(tableOf(chart, details.textContent));
    });
  }

  // --- tables sort and filter ---

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const isMissing = (cell) => cell.dataset.sort === "missing" || cell.textContent === "";

  function compared(one, other) {
    const [a, b] = [one, other].map((cell) => cell.dataset.sort || cell.textContent);
    const numbers = [Number(a), Number(b)];
    if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
    if (Number.isNaN(numbers[0]) !== Number.isNaN(numbers[1])) return Number.isNaN(numbers[0]) ? 1 : -1;
    return collator.compare(a, b);
  }

  for (const head of document.querySelectorAll(".grid thead th")) {
    head.querySelector("button").addEventListener("click", () => {
      const table = head.closest("table");
      const body = table.tBodies[0];
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const each of head.parentElement.children) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const sorted = [...body.rows].sort((...rows) => {
        const [one, other] = rows.map((each) => each.cells[head.cellIndex]);
        // last, whichever way
        if (isMissing(one) !== isMissing(other)) return isMissing(one) ? 1 : -1;
        const order = compared(one, other);
        return descending ? -order : order;
      });
      body.append(...sorted);
    });
  }

  for (const input of document.querySelectorAll("input[data-filter]")) {
    const rows = [...document.getElementById(input.dataset.filter).tBodies[0].rows];
    const told = input.closest(".filter").querySelector("output");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const each of rows) {
        const text = each.textContent.toLowerCase();
        each.hidden = !words.every((word) => text.includes(word));
        left += each.hidden ? 0 : 1;
      }
      told.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
    });
  }

  unpacked().then((all) => {
    all.names.forEach((name, place) => charts.set(name, { spec: all.specs[place], data: all.data[place], table: all.tables[place] }));
    for (const place of places) near.observe(place);
    return rest();
  }).catch((error) => {
    for (const place of places) place.textContent = `The charts could not be unpacked: ${error.message}`;
    throw error;
  });
})();
