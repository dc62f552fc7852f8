// The little of Markdown that small models write, as data: blocks, and runs of text in them. Pure, and made for
// text that is still growing: an open fence is a code block already.

/** A part of a line. */
export interface Run {
  kind: "text" | "code" | "strong" | "em";
  text: string;
}

/** A part of an answer. */
export type Block =
  | { kind: "code"; language: string; text: string }
  | { kind: "heading"; level: number; runs: Run[] }
  | { kind: "list"; isOrdered: boolean; start: number; items: Run[][] }
  | { kind: "paragraph"; runs: Run[] };

const FENCE = /^\s*(```+|~~~+)\s*([\w+#.-]*)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

/** The blocks of a text. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let ix = 0;
  const line = (): string => lines[ix] ?? "";
  while (ix < lines.length) {
    const fence = FENCE.exec(line());
    const heading = HEADING.exec(line());
    if (line().trim() === "") {
      ix++;
    } else if (fence !== null) {
      const mark = fence[1] ?? "```";
      const code: string[] = [];
      for (ix++; ix < lines.length && !line().trimStart().startsWith(mark); ix++) code.push(line());
      ix++;
      blocks.push({ kind: "code", language: fence[2] ?? "", text: code.join("\n") });
    } else if (heading !== null) {
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, runs: runsOf(heading[2] ?? "") });
      ix++;
    } else if (ITEM.test(line())) {
      const first = ITEM.exec(line())?.[1];
      const items: string[] = [];
      for (; ix < lines.length && line().trim() !== ""; ix++) {
        const item = ITEM.exec(line());
        if (item !== null) {
          // Another kind of list begins.
          if ((item[1] === undefined) !== (first === undefined)) break;
          items.push(item[2] ?? "");
        } else if (FENCE.test(line())) break;
        else items.push(`${items.pop() ?? ""}\n${line().trim()}`);
      }
      blocks.push({
        kind: "list",
        isOrdered: first !== undefined,
        start: Number(first ?? 1),
        items: items.map(runsOf),
      });
    } else {
      const paragraph: string[] = [];
      for (; ix < lines.length && line().trim() !== ""; ix++) {
        if (FENCE.test(line()) || HEADING.test(line()) || (paragraph.length > 0 && ITEM.test(line()))) break;
        paragraph.push(line());
      }
      blocks.push({ kind: "paragraph", runs: runsOf(paragraph.join("\n")) });
    }
  }
  return blocks;
}

const RUN = /(`+)(.+?)\1(?!`)|\*\*(\S|\S.*?\S)\*\*|\*([^\s*]|[^\s*][^*]*?[^\s*])\*/gs;

/** The runs of a line or paragraph. */
export function runsOf(text: string): Run[] {
  const runs: Run[] = [];
  let end = 0;
  for (const match of text.matchAll(RUN)) {
    if (match.index > end) runs.push({ kind: "text", text: text.slice(end, match.index) });
    const [whole, , code, strong, em] = match;
    if (code !== undefined) runs.push({ kind: "code", text: code });
    else if (strong !== undefined) runs.push({ kind: "strong", text: strong });
    else runs.push({ kind: "em", text: em ?? "" });
    end = match.index + whole.length;
  }
  if (end < text.length) runs.push({ kind: "text", text: text.slice(end) });
  return runs;
}
