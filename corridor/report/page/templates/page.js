"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const figures = {};
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const state = { variant: data.base, view: "flow", goods: "all", box: "focus" };
  const $ = (id) => document.getElementById(id);
  const title = (variant) => $("variant").querySelector(`option[value="${CSS.escape(variant)}"]`).textContent;

  // -- Tables ---------------------------------------------------------------------------------
  const written = (value, digits) => value.toLocaleString("en-US", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  });

  function change(value, base, digits) {
    const step = Number((value - base).toFixed(digits));
    if (step === 0) return "=";
    return (step > 0 ? "+" : "-") + written(Math.abs(step), digits);
  }

  function cell(value, digits, base) {
    const td = document.createElement("td");
    td.className = digits < 0 ? "text" : "num";
    if (digits < 0) { td.textContent = value === null ? "" : value; return td; }
    td.textContent = value === null ? "–" : written(value, digits);
    if (value !== null) td.dataset.value = value;
    if (value !== null && typeof base === "number") {
      const small = document.createElement("small");
      small.textContent = change(value, base, digits);
      td.append(small);
    }
    return td;
  }

  function fill(table) {
    const of = data.tables[table.dataset.follows];
    const suffix = table.dataset.follows === "chain-legs" ? "/" + $("reference").value : "";
    const rows = of.rows[state.variant + suffix] || [];
    const name = (row) => JSON.stringify(row.slice(0, of.keys));
    const before = new Map();
    if (of.changes && state.variant !== data.base && !data.steered.includes(state.variant)) {
      (of.rows[data.base + suffix] || []).forEach((row) => before.set(name(row), row));
    }
    const body = document.createElement("tbody");
    for (const row of rows) {
      const old = before.get(name(row));
      const tr = document.createElement("tr");
      row.forEach((value, i) => tr.append(cell(value, of.digits[i], old && i >= of.keys ? old[i] : undefined)));
      body.append(tr);
    }
    if (!rows.length) {
      const td = body.insertRow().insertCell();
      td.colSpan = of.digits.length;
      td.textContent = "Nothing to show for this variant.";
    }
    table.tBodies[0].replaceWith(body);
    const sorted = table.querySelector("th[aria-sort]");
    if (sorted) order(table, sorted.cellIndex, sorted.getAttribute("aria-sort"));
  }

  function order(table, column, way) {
    const sign = way === "ascending" ? 1 : -1;
    const key = (row) => {
      const td = row.cells[column];
      if (!td) return null;
      if (td.classList.contains("num")) return td.dataset.value === undefined ? null : Number(td.dataset.value);
      return td.textContent;
    };
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.sort");
    if (!button) return;
    const th = button.closest("th");
    const table = th.closest("table");
    const first = th.classList.contains("num") ? "descending" : "ascending";
    const now = th.getAttribute("aria-sort");
    const way = now === null ? first : now === "ascending" ? "descending" : "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", way);
    order(table, th.cellIndex, way);
  });

  // -- Map ------------------------------------------------------------------------------------
  const source = (figure, name) => figure.document.get_model_by_name(name);

  function tonnes(flows) {
    const of = flows.goods[state.goods];
    return of.forward.map((value, i) => value + of.backward[i]);
  }

  function drawMap() {
    const map = figures.map;
    if (!map) return;
    const of = data.map.flows[state.variant];
    const flow = tonnes(of);
    const base = tonnes(data.map.before[state.variant] || data.map.flows[data.base]);
    const step = flow.map((value, i) => value - base[i]);
    const links = source(map, "links");
    links.data = {
      ...links.data, flow, forward: of.goods[state.goods].forward, backward: of.goods[state.goods].backward,
      utilization: of.utilization, state: of.state,
      gain: step.map((value) => Math.max(value, 0)), loss: step.map((value) => Math.max(-value, 0)),
    };
    const posts = data.map.posts[state.variant];
    const crossings = source(map, "crossings");
    crossings.data = { ...crossings.data, ...posts };
    showLayers();
  }

  function showLayers() {
    const changes = state.view === "change";
    document.querySelector(".legend").classList.toggle("change", changes);
    document.querySelectorAll("input[data-layer]").forEach((box) => {
      const layer = box.dataset.layer;
      const renderer = source(figures.map, layer);
      if (!renderer) return;
      const other = changes ? layer.startsWith("flow-") : layer === "gain" || layer === "loss";
      renderer.visible = box.checked && !other;
    });
  }

  function fit(name, box) {
    // A meter must be as long north as east, whatever the shape of the window.
    const map = figures[name];
    if (!map) return;
    const [west, south, east, north] = box;
    const element = $(`chart-${name}`);
    const wide = Math.max(map.inner_width || element.clientWidth, 1);
    const high = Math.max(map.inner_height || element.clientHeight, 1);
    const scale = Math.max((east - west) / wide, (north - south) / high);
    const [x, y] = [(west + east) / 2, (south + north) / 2];
    const [dx, dy] = [scale * wide / 2, scale * high / 2];
    map.x_range.setv({ start: x - dx, end: x + dx });
    map.y_range.setv({ start: y - dy, end: y + dy });
  }

  function fitAll() {
    fit("map", data.map[state.box]);
    fit("loss-map", data.map.whole);
  }

  function move(where) {
    if (where === "focus" || where === "whole") { state.box = where; fit("map", data.map[where]); return; }
    const map = figures.map;
    const [x, y] = [map.x_range, map.y_range];
    const [width, height] = [x.end - x.start, y.end - y.start];
    const grow = { in: -0.15, out: 0.2 }[where] || 0;
    const east = { east: 0.2, west: -0.2 }[where] || 0;
    const north = { north: 0.2, south: -0.2 }[where] || 0;
    x.setv({ start: x.start + width * (east - grow), end: x.end + width * (east + grow) });
    y.setv({ start: y.start + height * (north - grow), end: y.end + height * (north + grow) });
  }

  // -- Colors of charts: the page's own, by day and by night --------------------------------------
  function paint() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const [ink, quiet, line] = [color("--ink"), color("--quiet"), color("--line")];
    const night = dark.matches && !window.matchMedia("print").matches;
    for (const figure of Object.values(figures)) {
      for (const model of figure.references()) {
        const is = (name) => model.type === name || model.type.endsWith(name);
        if (is("Axis")) {
          model.setv({ axis_label_text_color: ink, major_label_text_color: ink, axis_line_color: line,
                       major_tick_line_color: line });
        } else if (is("Grid")) model.grid_line_color = line;
        else if (is("Title")) model.text_color = ink;
        else if (is("Legend")) model.setv({ label_text_color: ink, background_fill_color: color("--paper"),
                                            background_fill_alpha: 0.8, border_line_color: null });
      }
    }
    const map = figures.map;
    if (!map) return;
    map.setv({ background_fill_color: night ? "#1b2530" : "#f3f8fb", border_fill_color: null, outline_line_color: null });
    for (const figure of [map, figures["loss-map"]].filter(Boolean)) {
      source(figure, "land-shapes").glyph.setv({ fill_color: { value: night ? "#2b3138" : "#edebe4" },
                                                 line_color: { value: night ? "#59626c" : "#aaa595" } });
      source(figure, "states").glyph.text_color = { value: quiet };
    }
    const edge = { value: night ? "#dfe5ea" : "#4d4a43" };
    for (const renderer of map.renderers) {
      if (/^load-/.test(renderer.name)) renderer.glyph.line_color = edge;
      if (renderer.name === "mark-closed by rule") renderer.glyph.line_color = { value: night ? "#ff6b7d" : "#b3001b" };
      if (renderer.name === "places") renderer.glyph.fill_color = edge;
    }
  }

  // -- The variant, the shipment ---------------------------------------------------------------
  function choose(variant) {
    state.variant = variant;
    $("variant").value = variant;
    document.querySelectorAll(".of-variant").forEach((span) => { span.textContent = title(variant); });
    document.querySelectorAll("tr[data-variant]").forEach((row) => {
      row.classList.toggle("chosen", row.dataset.variant === variant);
    });
    document.querySelectorAll("table[data-follows]").forEach(fill);
    drawMap();
  }

  function ship(reference) {
    for (const name of ["chain-time", "chain-cost"]) {
      if (figures[name]) source(figures[name], "chain").data = { ...data.chains[reference] };
    }
    const legs = $("table-chain-legs");
    if (legs) fill(legs);
  }

  function listen() {
    $("variant").addEventListener("change", (event) => choose(event.target.value));
    document.addEventListener("click", (event) => {
      const row = event.target.closest("tbody tr[data-variant]");
      if (row) choose(row.dataset.variant);
      const button = event.target.closest("button[data-move]");
      if (button) move(button.dataset.move);
    });
    document.querySelectorAll('input[name="view"]').forEach((radio) => radio.addEventListener("change", () => {
      state.view = radio.value;
      showLayers();
    }));
    $("goods").addEventListener("change", (event) => { state.goods = event.target.value; drawMap(); });
    document.querySelectorAll("input[data-layer]").forEach((box) => box.addEventListener("change", showLayers));
    if ($("reference")) $("reference").addEventListener("change", (event) => ship(event.target.value));
    dark.addEventListener("change", paint);
    let timer;
    window.addEventListener("resize", () => {
      clearTimeout(timer);
      timer = setTimeout(fitAll, 150);
    });
    window.addEventListener("beforeprint", () => { paint(); });
    window.addEventListener("afterprint", () => { paint(); });
  }

  async function start() {
    for (const script of document.querySelectorAll("script.chart-data")) {
      const name = script.dataset.for;
      const views = await Bokeh.embed.embed_item(JSON.parse(script.textContent), `chart-${name}`);
      figures[name] = [...views][0].model;
    }
    listen();
    paint();
    choose(data.base);
    fitAll();
    document.documentElement.dataset.ready = "yes";
  }
  start();
})();
