"use strict";
// Draws every chart of the page in the colours of the light or dark scheme, now and when it changes.

const scheme = matchMedia("(prefers-color-scheme: dark)");

function coloured(layout) {
  const style = getComputedStyle(document.documentElement);
  const [ink, line] = ["--ink", "--line"].map((name) => style.getPropertyValue(name).trim());
  const axis = { color: ink, gridcolor: line, zerolinecolor: line, linecolor: line };
  const clear = "rgba(0,0,0,0)";
  return {
    ...layout, paper_bgcolor: clear, plot_bgcolor: clear, font: { color: ink, family: "system-ui, sans-serif" },
    xaxis: { ...layout.xaxis, ...axis }, yaxis: { ...layout.yaxis, ...axis },
  };
}

function draw(place) {
  const { data, layout } = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  const shown = coloured(layout);
  for (const trace of data) if (trace.type === "bar" && trace.error_x) trace.error_x.color = shown.font.color;
  // Where there is little room the cells, which have their figures, need it more than the scale does.
  for (const trace of data) if (trace.type === "heatmap" && place.clientWidth < 480) trace.showscale = false;
  Plotly.react(place, data, shown, { responsive: true, displayModeBar: false });
}

// Safari has no idle callbacks.
const later = window.requestIdleCallback ?? ((work) => setTimeout(work));

// One chart at a time, so that the page answers between two of them.
function drawAll() {
  for (const place of document.querySelectorAll(".chart")) later(() => draw(place), { timeout: 1000 });
}

scheme.addEventListener("change", drawAll);
drawAll();
