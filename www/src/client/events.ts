// Server-sent events (the HTML standard, "Server-sent events"), from bytes as they come.

/** More than any event of an answer has. */
const MOST_CHARACTERS = 2 ** 24;

/** An event with data; `type` is empty where it has no name. */
export interface ServerEvent {
  type: string;
  data: string;
}

/** Takes a stream apart, wherever it was cut. */
export class EventReader {
  readonly #decoder = new TextDecoder();
  #text = "";
  /** Up to here the text has no end of a line. */
  #seen = 0;
  #type = "";
  #data: string[] = [];
  #characters = 0;

  /**
   * The events that end in these bytes.
   *
   * @throws RangeError for one that is too long to be an answer's
   */
  push(bytes: Uint8Array): ServerEvent[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    return this.#take();
  }

  /** What was left when the stream ended: its last event, where the empty line behind it is missing. */
  end(): ServerEvent[] {
    this.#text += `${this.#decoder.decode()}\n\n`;
    return this.#take();
  }

  #take(): ServerEvent[] {
    const events: ServerEvent[] = [];
    const ends = /\r\n|\n|\r/g;
    let start = 0;
    ends.lastIndex = this.#seen;
    for (let end = ends.exec(this.#text); end !== null; end = ends.exec(this.#text)) {
      // The other half of it may be on its way.
      if (end[0] === "\r" && ends.lastIndex === this.#text.length) break;
      const event = this.#line(this.#text.slice(start, end.index));
      if (event !== null) events.push(event);
      start = ends.lastIndex;
    }
    this.#text = this.#text.slice(start);
    this.#seen = this.#text.endsWith("\r") ? this.#text.length - 1 : this.#text.length;
    if (this.#characters + this.#text.length > MOST_CHARACTERS) {
      throw new RangeError(`an event has more than ${MOST_CHARACTERS} characters`);
    }
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const [name = ""] = line.split(":", 1);
    const value = line.slice(name.length + 1).replace(/^ /, "");
    if (name === "event") this.#type = value;
    else if (name === "data") {
      this.#data.push(value);
      this.#characters += value.length;
    }
    // Others, and comments, which have no name, say nothing about an answer.
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event = this.#data.length === 0 ? null : { type: this.#type, data: this.#data.join("\n") };
    this.#type = "";
    this.#data = [];
    this.#characters = 0;
    return event;
  }
}
