// The faults that a test asks for, each for a path and a number of requests.
//
//   { kind: "status", status, headers }    an error status instead of the file
//   { kind: "refuse" }                     the connection closes without an answer
//   { kind: "hang" }                       no answer, ever
//   { kind: "drop", after }                the connection closes after so many bytes of the body
//   { kind: "wrong_range" }                Content-Range is one byte off
//   { kind: "no_range" }                   ranges are ignored: the whole file, status 200
//   { kind: "flip", at }                   the lowest bit of the file's byte `at` is wrong
//   { kind: "etag", etag }                 the file seems to be another
//   { kind: "throttle", bytesPerSecond }   each answer comes slowly

const KINDS = ["status", "refuse", "hang", "drop", "wrong_range", "no_range", "flip", "etag", "throttle"];

const WITHOUT_BODY = ["status", "refuse", "hang"];

export class FaultList {
  #faults = [];

  /**
   * Adds a fault for `path`. `times` requests get it (all, if not given); `from` leaves out requests for ranges that
   * start before that byte, such as the one for the header.
   */
  add(path, { kind, times = Infinity, from = 0, ...facts }) {
    if (!KINDS.includes(kind)) throw new Error(`no fault "${kind}"; there are ${KINDS.join(", ")}`);
    this.#faults.push({ path, kind, left: times, from, facts });
  }

  clear() {
    this.#faults = [];
  }

  /** The faults of this request by kind; each counts as used once. One without a body leaves the others for later. */
  take(path, request) {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const taken = {};
    for (const fault of this.#faults) {
      if (fault.path !== path || fault.left <= 0 || start < fault.from || taken[fault.kind]) continue;
      fault.left -= 1;
      taken[fault.kind] = fault.facts;
      if (WITHOUT_BODY.includes(fault.kind)) break;
    }
    return taken;
  }
}
