// Reads a graph in Graphviz's language from standard input, writes it as SVG to standard output.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

const viz = await instance();
process.stdout.write(viz.renderString(readFileSync(0, "utf8"), { format: "svg" }));
