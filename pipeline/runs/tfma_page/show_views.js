"use strict";
// This method marks bars in Google's chart.
customElements.get("tfma-metrics-histogram").prototype.highlightHistogramBuckets_ = () => {};
// TFMA's table of slices needs Google's.
function metricsTable(slices) {
  const metrics = slices.map((slice) => Object.values(Object.values(slice.metrics)[0])[0]);
  const names = [...new Set(metrics.flatMap((one) => Object.keys(one)))];
  const rows = slices.map(({ slice }, place) => [slice, ...names.map((name) => metrics[place][name]?.doubleValue ?? null)]);
  const table = document.createElement("google-chart");
  table.type = "table";
  rows.sort(([one], [other]) => one.localeCompare(other, undefined, { numeric: true }));
  table.data = [["slice", ...names], ...rows];
  const box = document.createElement("div");
  box.className = "slices";
  box.append(table);
  return box;
}
JSON.parse(document.getElementById("content").textContent).forEach(({ config, data }, number) => {
  const view = document.getElementById(`view${number}`);
  view.config = config;
  view.data = data;
  if (view.matches("tfma-nb-slicing-metrics")) view.after(metricsTable(data));
});
