// Draws every chart, in the reader's theme on screen and in the light one on paper. Loads nothing from the network.
(() => {
  const PAPER = { wide: 684, narrow: 420 }; // Pixels: an A4 page between its margins, and beside a chart's words.
  const FLATTER = 0.87; // Three charts are to fit on a page, or two wide ones.
  const inks = JSON.parse(document.getElementById("inks").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const charts = [...document.querySelectorAll("script[data-chart]")].map((script) => ({
    place: document.getElementById(script.dataset.chart),
    text: script.textContent,
  }));

  const darkened = (value) => {
    if (typeof value === "string") {
      if (value.startsWith("data:")) return value;
      return value
        .replace(/#[0-9a-f]{6}\b/gi, (found) => inks[found.toUpperCase()] ?? found)
        .replace(/(rgba?\()(\d+), ?(\d+), ?(\d+)/g, (whole, head, ...parts) => {
          const other = inks[parts.slice(0, 3).join(",")];
          return other ? head + other : whole;
        });
    }
    if (Array.isArray(value)) return value.map(darkened);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, darkened(own)]));
    }
    return value;
  };

  // Plotly does not wrap axis titles, so long ones would be cut off.
  const LETTER = 6.6;
  const broken = (figure, width) => {
    for (const [name, axis] of Object.entries(figure.layout)) {
      const text = name.startsWith("xaxis") ? axis?.title?.text : undefined;
      const [from, to] = axis?.domain ?? [0, 1];
      if (!text || text.includes("<br>") || text.length * LETTER < 0.8 * width * (to - from)) continue;
      const spaces = [...text.matchAll(/ /g)].map((found) => found.index);
      const middle = spaces.sort((a, b) => Math.abs(a - text.length / 2) - Math.abs(b - text.length / 2))[0];
      if (middle) axis.title.text = `${text.slice(0, middle)}<br>${text.slice(middle + 1)}`;
    }
    return figure;
  };

  // Turned labels of many columns overlap on a phone, so only as many are shown as there is room for.
  const LINE = 14;
  const thinned = (figure, width) => {
    for (const [name, axis] of Object.entries(figure.layout)) {
      if (!name.startsWith("xaxis") || axis.tickangle !== -90 || !axis.ticktext) continue;
      const [from, to] = axis.domain ?? [0, 1];
      const step = Math.ceil((axis.ticktext.length * LINE) / (0.75 * width * (to - from)));
      const some = (list) => list.filter((_, at) => at % step === 0);
      [axis.tickvals, axis.ticktext] = [some(axis.tickvals), some(axis.ticktext)];
    }
    return figure;
  };

  const config = {
    displaylogo: false,
    displayModeBar: "hover",
    modeBarButtons: [["toImage"]],
    responsive: true,
  };

  // What is pointed at on one map is shown on all whose traces have the same meta.
  const linked = (place, { points }) => {
    const [{ data, pointNumber }] = points;
    if (points.length > 1 || !data.meta) return;
    const curves = place.data.map((_, curve) => curve).filter((curve) => place.data[curve].meta === data.meta);
    const subplots = curves.map((curve) => `${place.data[curve].xaxis ?? "x"}${place.data[curve].yaxis ?? "y"}`);
    Plotly.Fx.hover(place, curves.map((curveNumber) => ({ curveNumber, pointNumber })), subplots);
  };

  const parts = [...document.querySelectorAll("details.part")];
  const drawOne = ({ place, text }, printing) => {
    const light = JSON.parse(text);
    const figure = printing || !dark.matches ? light : darkened(light);
    const wide = place.closest(".wide") !== null;
    const height = Math.round(figure.layout.height * (printing ? FLATTER : 1));
    figure.layout.width = printing ? PAPER[wide ? "wide" : "narrow"] : undefined;
    figure.layout.height = height;
    figure.layout.autosize = !printing;
    thinned(broken(figure, figure.layout.width ?? place.clientWidth), figure.layout.width ?? place.clientWidth);
    place.style.height = `${height}px`;
    const own = { ...config, toImageButtonOptions: { format: "png", scale: 2, filename: place.id } };
    Plotly.react(place, figure.data, figure.layout, own);
    if (figure.frames && !place.dataset.framed) {
      Plotly.addFrames(place, figure.frames);
      place.dataset.framed = "yes";
    }
    if (figure.data.some((trace) => trace.meta) && !place.dataset.linked) {
      place.on("plotly_hover", (event) => linked(place, event));
      place.dataset.linked = "yes";
    }
  };

  // A part that is closed has no width, so its charts are drawn when it is opened; on paper all parts are open.
  let closed = [];
  const draw = (printing) => {
    if (printing && !closed.length) closed = parts.filter((part) => !part.open);
    for (const part of closed) part.open = printing;
    if (!printing) closed = [];
    for (const chart of charts) {
      if (chart.place.closest("details.part:not([open])") === null) drawOne(chart, printing);
    }
    document.documentElement.dataset.drawn = printing ? "paper" : dark.matches ? "dark" : "light";
  };

  for (const part of parts) {
    part.addEventListener("toggle", () => {
      if (!part.open || document.documentElement.dataset.drawn === "paper") return;
      for (const chart of charts) if (part.contains(chart.place)) drawOne(chart, false);
    });
  }

  draw(paper.matches);
  dark.addEventListener("change", () => draw(paper.matches));
  paper.addEventListener("change", (event) => draw(event.matches));
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw(false));
})();
