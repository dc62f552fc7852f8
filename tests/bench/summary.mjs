// From the figures of all rounds to one row a subject.
import { best, ratio, summarize } from "./statistics.mjs";

/** From here on other work is felt. */
export const BUSY = 0.15;

/**
 * A figure of a subject: its heading, how it is read from a round or an answer, whether more of it is better, and whether it
 * has a bound.
 */
const ROUND_FIGURES = [
  { name: "load cold s", of: ({ loadMs }) => loadMs.cold / 1000 },
  { name: "load warm s", of: ({ loadMs }) => (loadMs.warm === null ? NaN : loadMs.warm / 1000) },
  { name: "memory MB", of: ({ memoryBytes }) => memoryBytes / 1e6 },
];

const ANSWER_FIGURES = [
  { name: "first token s", of: ({ firstMs }) => firstMs / 1000 },
  { name: "prefill t/s", of: ({ promptTokens, firstMs }) => (promptTokens / firstMs) * 1000, more: true },
  { name: "decode t/s", of: ({ tokens, decodeMs }) => ((tokens - 1) / decodeMs) * 1000, more: true, bounded: true },
  { name: "prefill CPU ms/t", of: ({ promptTokens, prefillCpuMs }) => prefillCpuMs / promptTokens },
  { name: "decode CPU ms/t", of: ({ tokens, decodeCpuMs }) => decodeCpuMs / (tokens - 1) },
  { name: "dispatches/step", of: ({ gpu }) => (gpu ? gpu.dispatches / gpu.steps : NaN), ofGpu: true },
  { name: "submits/step", of: ({ gpu }) => (gpu ? gpu.submits / gpu.steps : NaN), ofGpu: true },
];

/** The figures under one heading: of the whole round, and of the prompts of each size. */
const sections = (sizes) => [
  { title: "load and memory", figures: ROUND_FIGURES, from: (round) => [round] },
  ...sizes.map((size) => ({
    title: `prompt of about ${size} tokens`,
    size,
    figures: ANSWER_FIGURES,
    from: (round) => round.answers.filter((answer) => answer.size === size),
  })),
];

/**
 * A table a section: for each subject a summary of each figure, and for each of our own how many times better it is than the
 * best peer in each, and what share of its bound it reaches. Those in a page are compared with those in a page, native ones
 * with native ones, and with the bound of as many threads; and what shows the cost of something with what does without it.
 */
export function summarizeRounds(rounds, { subjects, sizes }) {
  const good = subjects.filter(({ name }) => !failureOf(rounds, name) && rounds.some((round) => round.subject === name));
  const onGpu = subjects.some(({ gpu }) => gpu);
  return sections(sizes).map(({ title, size, figures: all, from }) => {
    const figures = all.filter(({ ofGpu = false }) => onGpu || !ofGpu);
    const rows = good.map((subject) => {
      const taken = rounds.filter((round) => round.subject === subject.name).flatMap(from);
      const cells = figures.map(({ of, bounded = false }) => (subject.bound && !bounded ? null : summarize(taken.map(of))));
      return { subject, cells };
    });
    const own = rows.filter(({ subject }) => subject.own);
    const ratios = own.map(({ subject, cells }) => {
      const peers = rows.filter((row) => !row.subject.own && !row.subject.bound && isAlike(row.subject, subject));
      return {
        subject,
        ratios: figures.map(({ more = false }, ix) => ratio(cells[ix], best(peers.map((peer) => peer.cells[ix]), more), more)),
      };
    });
    const shares = own.flatMap(({ subject, cells }) => {
      const bound = rows.find((row) => row.subject.bound && !subject.native && !subject.gpu && row.subject.options.threads === subject.options.threads);
      return bound ? [{ subject, ratios: figures.map(({ more = false }, ix) => ratio(cells[ix], bound.cells[ix], more)) }] : [];
    });
    const besides = own.flatMap(({ subject, cells }) => {
      const beside = rows.find((row) => row.subject.name === subject.beside);
      const of = ({ more = false, bounded = false }, ix) => (bounded ? ratio(cells[ix], beside.cells[ix], more) : null);
      return beside ? [{ subject, beside: beside.subject, ratios: figures.map(of) }] : [];
    });
    return { title, size, figures: figures.map(({ name }) => name), rows, ratios, shares, besides };
  });
}

/** Whether two are to be compared: both in a page, or both native; on the same device. */
const isAlike = (a, b) => Boolean(a.native) === Boolean(b.native) && Boolean(a.gpu) === Boolean(b.gpu);

/** Why a subject has no figures; `null` where it has. */
export function failureOf(rounds, name) {
  return rounds.find((round) => round.subject === name && round.failure)?.failure ?? null;
}

/** What a reader of the figures should know of them. */
export function remarks(rounds, { subjects, tokens }) {
  const found = [];
  for (const { name, title } of subjects) {
    const answers = rounds.filter((round) => round.subject === name).flatMap((round) => round.answers ?? []);
    const short = answers.filter((answer) => answer.tokens !== tokens);
    if (short.length > 0) {
      found.push(`${title}: ${short.length} of ${answers.length} answers had another length than ${tokens} tokens: ${short.map((answer) => answer.tokens).join(", ")}`);
    }
  }
  const busy = summarize(rounds.flatMap((round) => round.answers ?? []).map((answer) => answer.busy));
  if (busy && busy.most > BUSY) found.push(`other work took up to ${percent(busy.most)} of the machine: see \`busy\` of each answer`);
  return found;
}

const percent = (share) => `${Math.round(share * 100)} %`;

/** How much of the machine others took, in words. */
export function busyness(rounds) {
  const busy = summarize(rounds.flatMap((round) => round.answers ?? []).map((answer) => answer.busy));
  return busy === null ? "unknown" : `${percent(busy.median)} (${percent(busy.least)} to ${percent(busy.most)})`;
}
