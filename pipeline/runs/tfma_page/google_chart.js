"use strict";
// A replacement for <google-chart> that works offline. It draws the tables and charts of TFMA's views.
(() => {
  const define = customElements.define.bind(customElements);
  // TFMA defines <google-chart> too, but loads its code from the network.
  customElements.define = (name, ...rest) => { if (!customElements.get(name)) define(name, ...rest); };
  const SVG = "http://www.w3.org/2000/svg";
  const COLORS = ["#0067a3", "#b34700", "#00735a", "#9b3d79", "#6b5b00", "#444c55"];
  const SIZE = { width: 480, height: 240, margin: 44 };

  const svg = (tag, attributes, text = "") => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };
  // A cell is a value, or an object with a value and its text.
  const value = (cell) => (cell !== null && typeof cell === "object" && "v" in cell ? cell.v : cell);
  const written = (cell) => (cell !== null && typeof cell === "object" && cell.f !== undefined ? cell.f : value(cell));
  const short = (number) => (Number.isFinite(number) ? Number(number.toPrecision(4)).toString() : "");

  // Converts each of Google's data formats to a row of names and rows of cells.
  const rowsOf = (data) => {
    if (!data || Array.isArray(data)) return data;
    return data.cols ? [data.cols.map((one) => one.label), ...data.rows.map((one) => one.c)] : data.rows;
  };

  class GoogleChart extends HTMLElement {
    static observedAttributes = ["type", "data", "options"];
    set type(kind) { this.kind = kind; this.draw(); }
    set options(options) { this.chosen = options; this.draw(); }
    set data(data) { this.rows = rowsOf(data); this.draw(); }
    get data() { return this.rows; }
    set view(_) {}
    set events(_) {}
    set selection(_) {}
    get selection() { return []; }
    redraw() { this.draw(); }
    connectedCallback() { this.draw(); }
    attributeChangedCallback(name, _, text) { if (name === "type") this.type = text; }

    draw() {
      if (!this.isConnected || !Array.isArray(this.rows) || this.rows.length < 1) return;
      const [head, ...rows] = this.rows;
      const kind = this.kind || this.getAttribute("type") || "column";
      this.style.display = "block";
      this.replaceChildren(kind === "table" ? this.table(head, rows) : this.chart(head, rows, kind));
    }

    table(head, rows) {
      const table = document.createElement("table");
      const name = (cell) => (cell !== null && typeof cell === "object" ? cell.label ?? cell.id ?? "" : cell);
      const line = (cells, tag) => {
        const row = document.createElement("tr");
        for (const cell of cells) {
          const place = document.createElement(tag);
          const shown = tag === "th" ? name(cell) : written(cell);
          place.textContent = typeof shown === "number" ? short(shown) : shown ?? "";
          place.style.cssText = "padding: .2rem .6rem; border-bottom: 1px solid #ccc; text-align: right";
          row.append(place);
        }
        return row;
      };
      table.style.cssText = "border-collapse: collapse; font: 14px system-ui, sans-serif";
      const sorted = this.order === undefined ? rows : [...rows].sort((a, b) => {
        const [one, other] = [value(a[this.order]), value(b[this.order])];
        return (one < other ? -1 : one > other ? 1 : 0) * (this.down ? -1 : 1);
      });
      const top = line(head, "th");
      top.style.cursor = "pointer";
      [...top.cells].forEach((cell, column) => cell.addEventListener("click", () => {
        this.down = this.order === column ? !this.down : true;
        this.order = column;
        this.draw();
      }));
      table.append(top, ...sorted.map((row) => line(row, "td")));
      return table;
    }

    chart(head, rows, kind) {
      const { width, height, margin } = SIZE;
      const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
        style: "max-width: 100%; height: auto" });
      const numeric = rows.every((row) => typeof value(row[0]) === "number");
      const xs = rows.map((row, place) => (numeric ? value(row[0]) : place));
      const columns = head.map((_, column) => column).slice(1)
        .filter((column) => rows.some((row) => typeof value(row[column]) === "number"));
      const ys = columns.flatMap((column) => rows.map((row) => value(row[column]))).filter(Number.isFinite);
      if (!ys.length) return drawn;
      const bars = kind !== "line" && kind !== "scatter" && kind !== "area";
      const [left, right] = [Math.min(...xs), Math.max(...xs)];
      const [low, high] = [Math.min(bars ? 0 : Infinity, ...ys), Math.max(...ys)];
      const step = (width - 2 * margin) / (bars ? rows.length : 1);
      const x = (at, place) => (bars ? margin + step * (place + 0.5)
        : margin + ((at - left) / (right - left || 1)) * (width - 2 * margin));
      const y = (at) => height - margin - ((at - low) / (high - low || 1)) * (height - 2 * margin);
      for (const at of [low, (low + high) / 2, high]) {
        drawn.append(svg("line", { x1: margin, x2: width - margin, y1: y(at), y2: y(at), stroke: "#ddd" }));
        drawn.append(svg("text", { x: margin - 5, y: y(at) + 4, "text-anchor": "end", "font-size": 11 }, short(at)));
      }
      rows.forEach((row, place) => {
        if (rows.length > 16 && place % Math.ceil(rows.length / 16)) return;
        const text = numeric ? short(value(row[0])) : String(written(row[0]));
        drawn.append(svg("text", { x: x(xs[place], place), y: height - margin + 14, "text-anchor": "middle",
          "font-size": 10 }, text.split(":").pop()));
      });
      columns.forEach((column, number) => {
        const color = COLORS[number % COLORS.length];
        const points = rows.map((row, place) => [x(xs[place], place), value(row[column])]).filter((one) => Number.isFinite(one[1]));
        if (bars) {
          const wide = (0.8 * step) / columns.length;
          for (const [at, tall] of points) {
            drawn.append(svg("rect", { x: at - 0.4 * step + number * wide, width: Math.max(wide - 1, 1), y: y(tall),
              height: Math.max(y(low) - y(tall), 0), fill: color }));
          }
        } else {
          const path = points.map(([at, tall]) => `${at},${y(tall)}`).join(" ");
          if (kind !== "scatter") drawn.append(svg("polyline", { points: path, fill: "none", stroke: color, "stroke-width": 2 }));
          for (const [at, tall] of points) drawn.append(svg("circle", { cx: at, cy: y(tall), r: 3, fill: color }));
        }
      });
      return drawn;
    }
  }
  define("google-chart", GoogleChart);

  // The parts of Google's classes that the overview of slices and the histogram use.
  class Rows {
    constructor(of) { this.rows = of instanceof Rows ? of.rows : of ?? [[]]; }
    getNumberOfRows() { return this.rows.length - 1; }
    sort([{ column }]) {
      const [head, ...rows] = this.rows;
      const order = (a, b) => (value(a[column]) < value(b[column]) ? -1 : value(a[column]) > value(b[column]) ? 1 : 0);
      this.rows = [head, ...rows.sort(order)];
    }
    setColumns(columns) {
      const kept = columns.filter(Number.isInteger);
      this.rows = this.rows.map((row) => kept.map((column) => row[column]));
    }
  }
  class ColumnChart {
    constructor(place) { this.place = place; }
    draw(data) {
      const chart = document.createElement("google-chart");
      chart.type = "column";
      chart.data = data.rows;
      this.place.replaceChildren(chart);
    }
    getSelection() { return []; }
    setSelection() {}
  }
  const events = { addListener() {}, addOneTimeListener() {} };
  window.google = {
    charts: { load: () => Promise.resolve() },
    visualization: { ColumnChart, DataTable: Rows, DataView: Rows, arrayToDataTable: (rows) => new Rows(rows), events },
  };
})();
