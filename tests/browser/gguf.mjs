// Changes single values in the header of a GGUF file: what a test feeds the parser that reads untrusted input.
import fs from "node:fs";

const SIZES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const STRING = 8;
const ARRAY = 9;

/** A GGUF file as bytes, with the places of what is in its header. */
export class GgufBytes {
  /** Places of the header's counts. */
  static TENSOR_COUNT = 8;
  static VALUE_COUNT = 16;

  constructor(file) {
    this.bytes = Buffer.from(fs.readFileSync(file));
    /** Where each metadata value starts, by key. */
    this.values = new Map();
    /** Where the dims, the type and the offset of each tensor are, by name. */
    this.tensors = new Map();
    this.#read();
  }

  #read() {
    let at = 24;
    const u32 = () => this.bytes.readUInt32LE((at += 4) - 4);
    const u64 = () => Number(this.bytes.readBigUInt64LE((at += 8) - 8));
    const string = () => {
      const length = u64();
      return this.bytes.toString("utf8", at, (at += length));
    };
    const skip = (type) => {
      if (type === STRING) string();
      else if (type !== ARRAY) at += SIZES[type];
      else {
        const inner = u32();
        const count = u64();
        for (let ix = 0; ix < count; ix++) skip(inner);
      }
    };
    const tensorCount = Number(this.bytes.readBigUInt64LE(GgufBytes.TENSOR_COUNT));
    const valueCount = Number(this.bytes.readBigUInt64LE(GgufBytes.VALUE_COUNT));
    for (let ix = 0; ix < valueCount; ix++) {
      const key = string();
      const type = u32();
      this.values.set(key, at);
      skip(type);
    }
    for (let ix = 0; ix < tensorCount; ix++) {
      const name = string();
      const dimCount = u32();
      this.tensors.set(name, { dims: at, type: at + dimCount * 8, offset: at + dimCount * 8 + 4 });
      at += dimCount * 8 + 12;
    }
    this.headerBytes = at;
  }

  u32(at, value) {
    this.bytes.writeUInt32LE(value, at);
    return this;
  }

  u64(at, value) {
    this.bytes.writeBigUInt64LE(BigInt(value), at);
    return this;
  }

  /** Writes another string of the same length over a string value. */
  string(key, text) {
    const at = this.values.get(key);
    const length = Number(this.bytes.readBigUInt64LE(at));
    if (text.length !== length) throw new Error(`${key} has ${length} characters, not ${text.length}`);
    this.bytes.write(text, at + 8, "latin1");
    return this;
  }
}
