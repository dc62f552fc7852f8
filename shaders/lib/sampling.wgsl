// How tokens of an answer are chosen, and how logits are ranked.

struct Params {
    vocab: u32,       // V, tokens that there are
    flags: u32,       // which of the steps below are taken
    repetition: f32,  // divides positive and multiplies negative logits of tokens that were seen
    frequency: f32,   // subtracted once for each time that a token is in the answer
    presence: f32,    // subtracted once
    temperature: f32, // divides logits
    top_k: u32,       // tokens that stay, 1 to V - 1
    top_p: u32,       // share of all weights that stays, in 2^-32
    min_p: f32,       // smallest weight that stays; the largest is 1
    seed_low: u32,
    seed_high: u32,
    padding: u32,
}

const BIAS = 1u;
const PENALTIES = 2u;
const MASK = 4u;
const GREEDY = 8u;
const TOP_K = 16u;
const TOP_P = 32u;

// In `seen`: the token is in the prompt; the other bits count how often it is in the answer.
const IN_PROMPT = 0x80000000u;

// Above the key of every number: that of what is none.
const BROKEN = 0xffffffffu;

// Of a seat's answer each.
@group(0) @binding(4) var<uniform> settings: array<Params, SEATS>;

fn has(seat: u32, flag: u32) -> bool {
    return (settings[seat].flags & flag) != 0u;
}

// A number that grows as the float with these bits does.
fn key_of(bits: u32) -> u32 {
    if ((bits & 0x7f800000u) == 0x7f800000u) {
        return BROKEN;
    }
    return bits ^ select(0x80000000u, 0xffffffffu, (bits >> 31u) != 0u);
}

fn bits_of(key: u32) -> u32 {
    return key ^ select(0xffffffffu, 0x80000000u, (key >> 31u) != 0u);
}

// The better of two (key, id): the larger key, of equals the smaller id.
fn better(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}

// The best of all invocations, to each of them.
var<workgroup> rivals: array<vec2<u32>, WORKGROUP>;

fn best_of_all(lane: u32, own: vec2<u32>) -> vec2<u32> {
    rivals[lane] = own;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            rivals[lane] = better(rivals[lane], rivals[lane + half]);
        }
        workgroupBarrier();
    }
    return rivals[0];
}
