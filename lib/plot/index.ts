// The public names of nabla/plot: charts as SVG and as text of a terminal.

export { type BarsOptions, bars } from "./bars.ts";
export { type BesideOptions, beside } from "./beside.ts";
export { Chart, type ChartOptions, type Drawing, type SvgOptions, type TextOptions } from "./chart.ts";
export { type Components, type EmbeddingOptions, embedding, pca } from "./embedding.ts";
export { type ConfusionOptions, confusion, type HeatmapOptions, heatmap } from "./heatmap.ts";
export { type HistogramOptions, histogram } from "./histogram.ts";
export { type Colors, featureMaps, filters, type ImagesOptions, images } from "./images.ts";
export { type Line, type LinesOptions, lines, type ScatterOptions, scatter } from "./lines.ts";
export { type PngOptions, png } from "./png.ts";
export type { Named, Numbers, Shaped } from "./read.ts";
export type { Range } from "./scale.ts";
export type { Theme } from "./svg.ts";
