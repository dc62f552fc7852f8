// The summary as text.
import { busyness, failureOf, remarks } from "./summary.mjs";

/** Three digits that count, without an exponent. */
export function shown(number) {
  if (number === 0) return "0";
  if (Math.abs(number) >= 99.95) return String(Math.round(number));
  return number.toPrecision(3);
}

/** `median (least to most)`. */
const cell = (summary) => (summary === null ? "" : `${shown(summary.median)} (${shown(summary.least)}-${shown(summary.most)})`);

const factor = (number) => (number === null ? "" : `× ${shown(number)}`);

const share = (number) => (number === null ? "" : `${Math.round(number * 100)} %`);

/** Rows of words as columns: the first to the left, the others to the right. */
export function columns(rows) {
  const widths = rows[0].map((_, ix) => Math.max(...rows.map((row) => row[ix].length)));
  const line = (row) => row.map((word, ix) => (ix === 0 ? word.padEnd(widths[0]) : word.padStart(widths[ix]))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

/** Everything for the terminal. */
export function report({ machine, browsers, options, rounds, tables }) {
  const { subjects, tokens } = options;
  const parts = [
    `${machine.cpu}, ${machine.cores} cores; ${[...browsers, `Node ${machine.node}`].join(", ")}`,
    `${options.rounds} rounds of ${tokens} tokens each: median (least-most); busy with other work: ${busyness(rounds)}`,
  ];
  for (const { title, figures, rows, ratios, shares, besides } of tables) {
    if (rows.length === 0) continue;
    const lines = rows.map(({ subject, cells }) => [subject.title, ...cells.map(cell)]);
    const against = ratios.filter((row) => row.ratios.some((ratio) => ratio !== null));
    lines.push(...against.map((row) => [`${row.subject.title}: times better than the best peer`, ...row.ratios.map(factor)]));
    const bounded = shares.filter((row) => row.ratios.some((ratio) => ratio !== null));
    lines.push(...bounded.map((row) => [`${row.subject.title}: share of its bound`, ...row.ratios.map(share)]));
    const held = besides.filter((row) => row.ratios.some((ratio) => ratio !== null));
    lines.push(...held.map((row) => [`${row.subject.title}: share of ${row.beside.title}`, ...row.ratios.map(share)]));
    parts.push("", columns([[title, ...figures], ...lines]));
  }
  const failed = subjects.filter(({ name }) => failureOf(rounds, name));
  parts.push("", ...failed.map(({ name, title }) => `FAILED  ${title}: ${failureOf(rounds, name).split("\n", 1)[0]}`));
  parts.push(...remarks(rounds, { subjects, tokens }).map((remark) => `note    ${remark}`));
  return parts.join("\n").trimEnd();
}

/** Everything for a file. */
export function record({ machine, browsers, options, versions, rounds, tables, when }) {
  const named = (rows, key, figures) =>
    rows.map((row) => ({ subject: row.subject.name, ...Object.fromEntries(figures.map((figure, ix) => [figure, row[key][ix]])) }));
  return {
    when,
    machine,
    browsers,
    versions,
    options: { rounds: options.rounds, tokens: options.tokens, prompts: options.sizes, browser: options.browser },
    tables: tables.map(({ title, figures, rows, ratios, shares, besides }) => ({
      title,
      subjects: named(rows, "cells", figures),
      timesBetterThanBestPeer: named(ratios, "ratios", figures),
      shareOfBound: named(shares, "ratios", figures),
      shareOfTheSame: named(besides, "ratios", figures),
    })),
    failed: options.subjects
      .filter(({ name }) => failureOf(rounds, name))
      .map(({ name }) => ({ subject: name, why: failureOf(rounds, name) })),
    notes: remarks(rounds, options),
    rounds,
  };
}
